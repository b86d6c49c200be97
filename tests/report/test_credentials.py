"""What of a URL is masked."""

from __future__ import annotations

import pytest

from analyzer.report.credentials import mask_url, without_credentials
from analyzer.report.text import texts


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://ann:secret@www.example.org/x", "http://***@www.example.org/x"),
        ("http://ann@b:c@www.example.org/x", "http://***@www.example.org/x"),
        ("https://www.example.org/@ann", "https://www.example.org/@ann"),
        ("/login?user=ann&password=a%20b&x=1#top", "/login?user=ann&password=***&x=1#top"),
        ("/x?access_token=abc;Client-Secret=def&z", "/x?access_token=***;Client-Secret=***&z"),
        ("/x?X-Amz-Signature=0f&key=1&monkey=2&API_KEY=3", "/x?X-Amz-Signature=***&key=1&monkey=2&API_KEY=***"),
        ("/x?sid=17&key=0123456789abcdef&authenticated=1", "/x?sid=17&key=***&authenticated=1"),
        ("/x;jsessionid=AB12?page=2", "/x;jsessionid=***"),
        ("/x?token=", "/x?token="),
        ("/token/abc?author=ann&auth=1&auth_id=2&authorization=3", "/token/abc?author=ann&auth=***&auth_id=***&authorization=***"),
        ("/plain?page=2", "/plain?page=2"),
        (None, None),
    ],
)
def test_what_is_masked(url: str | None, told: str | None) -> None:
    assert without_credentials(texts([url, "/other"])).to_pylist() == [told, "/other"]
    assert mask_url(url or "") == (told or "")

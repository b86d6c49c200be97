from __future__ import annotations

from analyzer.registries import http


def test_codes_have_the_names_of_their_registries() -> None:
    assert http.http2_error_name(0) == "NO_ERROR"
    assert http.http2_error_name(8) == "CANCEL"
    assert http.http2_error_name(0xD) == "HTTP_1_1_REQUIRED"
    assert http.http3_error_name(0x10C) == "H3_REQUEST_CANCELLED"
    assert http.http3_error_name(0x110) == "H3_VERSION_FALLBACK"
    assert http.http3_error_name(0x200) == "QPACK_DECOMPRESSION_FAILED"
    assert http.setting_name(4) == "initial_window_size"
    assert http.grpc_status_name(16) == "UNAUTHENTICATED"
    assert http.close_name(1006) == "abnormal closure"


def test_unknown_codes_keep_their_number() -> None:
    assert http.http2_error_name(99) == "ERROR99"
    assert http.http3_error_name(0x1F) == "ERROR31"
    assert http.setting_name(0x2B603742) == "setting727725890"
    assert http.grpc_status_name(40) == "STATUS40"
    assert http.close_name(4001) == "code 4001"

from analyzer.registries.resolvers import DOH_HOSTS


def test_names_are_lower_case_and_distinct():
    assert len(set(DOH_HOSTS)) == len(DOH_HOSTS)
    assert all(host == host.lower() and "." in host and not host.endswith(".") for host in DOH_HOSTS)

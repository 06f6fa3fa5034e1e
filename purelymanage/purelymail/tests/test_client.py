

def test_x(purelymail):
    assert purelymail.client.list_users().addresses == []

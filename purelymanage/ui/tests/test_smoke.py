import pytest
from django.urls import reverse


def test_it(viewer_client):
    r = viewer_client.get("/styleguide/")
    assert r.status_code == 200
    print(r.content.decode())
    r = viewer_client.get("/palette/?q=mail", headers={"HX-Request": "true"})
    print(r.content.decode())
    r = viewer_client.get("/palette/?q=zzz")
    r = viewer_client.post(
        "/password-strength/?field=p", {"p": "h7@Kd2mQv"}, headers={"HX-Request": "true"}
    )
    print(r.content.decode())

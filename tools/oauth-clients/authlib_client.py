"""PyPI authlib, with its own library of JOSE for the signatures."""

import json
import sys
from urllib.parse import urljoin

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

CALLBACK = "http://127.0.0.1:1/callback"
given = json.load(open(sys.argv[1]))
server = requests.get(given["url"] + "/.well-known/openid-configuration", timeout=10).json()
keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=10).json())


def check(holds, what):
    if not holds:
        raise SystemExit(f"not so: {what}")


def refused(asked, code):
    try:
        asked()
    except OAuthError as fault:
        check(fault.error == code, f"{code}, but {fault.error}")
    else:
        raise SystemExit(f"not refused with {code}")


web = given["clients"]["web"]
scope = "openid email offline_access events:read"
client = OAuth2Session(web["id"], web["client_secret"], scope=scope, redirect_uri=CALLBACK, code_challenge_method="S256")
verifier, nonce = generate_token(48), generate_token(16)
address, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
answer = requests.get(address, headers={"Cookie": given["session"]["cookie"]}, allow_redirects=False, timeout=10)
back = answer.headers["location"]
token_endpoint = server["token_endpoint"]
tokens = client.fetch_token(token_endpoint, authorization_response=back, state=state, code_verifier=verifier)

told = jwt.decode(tokens["id_token"], keys, algorithms=["EdDSA"])
rules = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": server["issuer"]}, aud={"essential": True, "value": web["id"]}, exp={"essential": True}
)
rules.validate(told.claims)
check(told.claims["nonce"] == nonce and told.claims["sub"] == given["user"], "the ID token is about the person")
access = jwt.decode(tokens["access_token"], keys, algorithms=["EdDSA"])
check(access.header["typ"] == "at+jwt" and access.claims["aud"] == server["issuer"], "the access token is one")
check(client.get(server["userinfo_endpoint"]).json()["email"] == "anna@example.org", "userinfo says the address")
check(client.get(urljoin(given["url"], "/v1/events")).status_code == 200, "the API takes the token")

first = tokens["refresh_token"]
second = client.refresh_token(token_endpoint, refresh_token=first)["refresh_token"]
check(first != second, "a refresh brings another refresh token")
refused(lambda: client.refresh_token(token_endpoint, refresh_token=first), "invalid_grant")
refused(lambda: client.refresh_token(token_endpoint, refresh_token=second), "invalid_grant")

own = given["clients"]["service"]
service = OAuth2Session(own["id"], own["client_secret"], scope="events:read")
token = service.fetch_token(token_endpoint, grant_type="client_credentials")["access_token"]


def is_active():
    return service.introspect_token(server["introspection_endpoint"], token=token).json()["active"]


check(is_active() is True, "its own token is active")
check(service.revoke_token(server["revocation_endpoint"], token=token).status_code == 200, "it is taken back")
check(is_active() is False, "a revoked token is not active")
print("authlib: ok")

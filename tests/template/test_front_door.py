"""The HTTP API: authorisation, throttling, and the access log."""

import pytest

from tests.support.template_document import FUNCTIONS, RESOURCES, events, of_type, target

API = RESOURCES["HttpApi"]["Properties"]
POOL = RESOURCES["UserPool"]["Properties"]
CLIENT = RESOURCES["UserPoolClient"]["Properties"]


def test_there_are_three_routes_and_only_those_of_partners_need_no_token():
    routes = {
        (route["Method"], route["Path"], route.get("Auth", {}).get("Authorizer", API["Auth"]["DefaultAuthorizer"]))
        for function in FUNCTIONS
        for route in events(function, "HttpApi")
    }
    assert routes == {
        ("POST", "/webhooks/{channel}/{connection}", "NONE"),
        ("GET", "/webhooks/{channel}/{connection}", "NONE"),
        ("ANY", "/ops/{proxy+}", "Operators"),
    }


def test_tokens_come_from_our_user_pool_and_are_meant_for_our_client():
    authorizer = API["Auth"]["Authorizers"]["Operators"]["JwtConfiguration"]
    assert target(authorizer["issuer"]).endswith("/${UserPool}")
    assert authorizer["audience"] == [{"Ref": "UserPoolClient"}]


@pytest.mark.parametrize("word", ["query", "header", "body", "authorizer", "rawPath", "$context.identity"])
def test_the_access_log_holds_nothing_that_a_caller_may_have_meant_to_keep(word):
    assert word.lower() not in API["AccessLogSettings"]["Format"].lower()


def test_the_front_door_is_throttled_above_our_promised_rate():
    assert API["DefaultRouteSettings"]["ThrottlingRateLimit"] >= 1000
    assert API["DefaultRouteSettings"]["ThrottlingBurstLimit"] >= 1000


def test_operators_are_made_by_an_administrator_with_a_long_password():
    assert POOL["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert POOL["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12


def test_operators_outlive_the_stack():
    assert RESOURCES["UserPool"]["DeletionPolicy"] == RESOURCES["UserPool"]["UpdateReplacePolicy"] == "Retain"


def test_the_client_has_no_secret_and_does_not_tell_who_exists():
    assert CLIENT["GenerateSecret"] is False
    assert CLIENT["PreventUserExistenceErrors"] == "ENABLED"


def test_every_log_group_forgets():
    for properties in of_type("AWS::Logs::LogGroup").values():
        assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}

"""The HTTP API's routes are read from the OpenAPI body that SAM generates."""

import pytest

from tools.local.http_api import JwtAuthorizer, Route, authorizers, resolve, routes

INVOCATION = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/%s/invocations"
URI = INVOCATION % "${WebhookFunction.Arn}"
VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "WebhookFunction.Arn": "arn:aws:lambda:us-east-1:000000000000:function:webhook",
    "UserPool": "us-east-1_abc",
    "UserPoolClient": "client-1",
}


def operation(**more):
    integration = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": {"Fn::Sub": URI}}
    return {"x-amazon-apigateway-integration": integration, **more}


BODY = {
    "paths": {
        "/webhooks/{channel}/{connection}": {"post": operation(security=[{"NONE": []}])},
        "/ops/{proxy+}": {"x-amazon-apigateway-any-method": operation(security=[{"Operators": []}])},
    },
    "components": {
        "securitySchemes": {
            "Operators": {
                "type": "oauth2",
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {
                        "issuer": {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"},
                        "audience": [{"Ref": "UserPoolClient"}],
                    },
                },
            }
        }
    },
}


def test_every_operation_becomes_a_route_to_its_function_with_its_authorizer():
    function = VALUES["WebhookFunction.Arn"]

    assert list(routes(resolve(BODY, VALUES))) == [
        Route("POST /webhooks/{channel}/{connection}", function, "2.0", 30000, None),
        Route("ANY /ops/{proxy+}", function, "2.0", 30000, "Operators"),
    ]


def test_a_jwt_authorizer_keeps_its_issuer_and_audience():
    issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"

    assert list(authorizers(resolve(BODY, VALUES))) == [
        JwtAuthorizer("Operators", "$request.header.Authorization", issuer, ("client-1",))
    ]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "UserPool"}, "us-east-1_abc"),
        ({"Fn::GetAtt": ["WebhookFunction", "Arn"]}, VALUES["WebhookFunction.Arn"]),
        ({"Fn::GetAtt": "WebhookFunction.Arn"}, VALUES["WebhookFunction.Arn"]),
        ({"Fn::Join": ["/", ["a", {"Ref": "UserPool"}]]}, "a/us-east-1_abc"),
        ({"Fn::Sub": ["${Mine} ${UserPool} ${!Literal}", {"Mine": "m"}]}, "m us-east-1_abc ${Literal}"),
        ({"plain": [1, {"Ref": "UserPool"}], "more": None}, {"plain": [1, "us-east-1_abc"], "more": None}),
        ({}, {}),
    ],
)
def test_intrinsic_functions_are_resolved_wherever_they_stand(node, expected):
    assert resolve(node, VALUES) == expected


def test_a_name_that_is_not_deployed_is_an_error_and_not_an_empty_text():
    with pytest.raises(KeyError, match="Nobody"):
        resolve({"Ref": "Nobody"}, VALUES)

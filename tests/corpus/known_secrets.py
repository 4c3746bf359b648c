"""The secrets of the connections that the corpus knows: in use, just replaced, of somebody else, and long gone."""

import json

from dropship.adapters import session
from tests.support.deployed import API_SECRETS, WEBHOOK_SECRETS
from tests.support.lambdas import STAGE

CURRENT = WEBHOOK_SECRETS
PREVIOUS = {
    "shopify/main-shop": "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",
    "woocommerce/woo-shop": "a previous <secret>",
    "supplier-v1/acme": "whsec_cHJldmlvdXMtc2VjcmV0LW9mLWFjbWUh",
    "kuaidi100/kd100": "previous-salt",
}
OTHER = {
    "shopify/second-shop": "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",
    "woocommerce/other-shop": "secret of another shop",
    "supplier-v1/bolt": "whsec_c2VjcmV0LW9mLWJvbHQtbm90LWFjbWUh",
    "kuaidi100/kd200": "salt-of-another",
}
RETIRED = "a-secret-that-was-replaced-long-ago"


def put_secrets() -> None:
    """Give every connection of the corpus its secrets, the current before the previous one."""
    in_use = {name: [secret, PREVIOUS[name]] for name, secret in CURRENT.items()}
    for name, secrets in (in_use | {name: [secret] for name, secret in OTHER.items()}).items():
        session.ssm().put_parameter(
            Name=f"/daifa/{STAGE}/webhook/{name}",
            Value=json.dumps({"secrets": secrets}),
            Type="SecureString",
            Overwrite=True,
        )


def never_shown() -> list[str]:
    """What must be in no log and in no answer: every secret, and the words that tell of the example's buyer."""
    api = [value for fields in API_SECRETS.values() for value in fields.values()]
    secrets = [*CURRENT.values(), *PREVIOUS.values(), *OTHER.values(), RETIRED, *api]
    return [*secrets, "Steve", "Shipper", "Shipping Street", "555-555-SHIP", "@example.com", "BUYER-CANARY"]

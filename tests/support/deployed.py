"""What a deployment creates, in moto: tables, a seeded registry, queues, workflows, secrets."""

import json
import re
from typing import Any

from dropship.adapters import session
from dropship.adapters.dynamodb_registry_writer import RegistryWriter
from tests.support.fakes import FakeHttp
from tests.support.lambdas import STAGE
from tests.support.partner_apis import ShopApi, SupplierApi, TrackerApi, WooApi
from tests.support.service_world import GREEN, PINK, seed
from tests.support.template_document import QUEUES, TABLES, WORKFLOWS

WEBHOOK_SECRETS = {
    "shopify/main-shop": "shpss_0123456789abcdef0123456789abcdef",
    "woocommerce/woo-shop": "w<oo&0123456789abcdef0123456789abcdef'",
    "supplier-v1/acme": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "kuaidi100/kd100": "s4ltXXXX",
}
API_SECRETS = {
    "shopify/main-shop": {"access_token": "shpat_secret"},
    "woocommerce/woo-shop": {"consumer_key": "ck_secret", "consumer_secret": "cs_secret"},
    "supplier-v1/acme": {"api_key": "key-of-acme-secret"},
    "kuaidi100/kd100": {"customer": "customer-secret", "key": "key-secret", "salt": "salt-secret"},
}
_MACHINE = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'


def create_tables() -> dict[str, str]:
    """The template's tables, empty; their names by logical id."""
    for name, properties in TABLES.items():
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        session.dynamodb().create_table(TableName=name, **{key: properties[key] for key in wanted if key in properties})
    return {name: name for name in TABLES}


def deploy(tables: dict[str, str]) -> dict[str, str]:
    """Create everything else beside the tables. Returns the values of the template's logical ids."""
    made = dict(tables)
    for name, queue in QUEUES.items():
        queue_name = re.sub(r"\$\{AWS::StackName\}", "daifa", queue["QueueName"]["Fn::Sub"])
        made[name] = session.sqs().create_queue(QueueName=queue_name)["QueueUrl"]
    for name in WORKFLOWS:
        role = "arn:aws:iam::123456789012:role/workflow"
        machine = session.stepfunctions().create_state_machine(name=f"daifa-{name}", definition=_MACHINE, roleArn=role)
        made[name] = machine["stateMachineArn"]
    parameters: dict[str, Any] = {f"webhook/{name}": {"secrets": [secret]} for name, secret in WEBHOOK_SECRETS.items()}
    parameters |= {f"api/{name}": fields for name, fields in API_SECRETS.items()}
    for name, fields in parameters.items():
        session.ssm().put_parameter(Name=f"/daifa/{STAGE}/{name}", Value=json.dumps(fields), Type="SecureString")
    RegistryWriter(tables["RegistryTable"]).put_all(seed())
    return made


class Partners:
    """All partners, in memory."""

    def __init__(self) -> None:
        self.acme, self.shop, self.tracker = SupplierApi(), ShopApi(units={PINK: 1, GREEN: 1}), TrackerApi()
        self.woo = WooApi()
        self.http = FakeHttp()
        self.http.partner("http://partners.test/suppliers/acme", self.acme)
        self.http.partner("http://partners.test/shopify/main-shop", self.shop)
        self.http.partner("http://partners.test/woocommerce/woo-shop", self.woo)
        self.http.partner("http://partners.test/kuaidi100", self.tracker)

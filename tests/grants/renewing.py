"""A channel whose token runs out, for handlers that have to store a new one. No connector of ours has such a token."""

from collections.abc import Mapping

from dropship.connectors import find
from dropship.connectors.contract import Access
from dropship.connectors.contract.capabilities import _ANSWERS
from dropship.ports import HttpRequest, HttpResponse
from tests.faults.scenarios import Step
from tests.faults.world import World
from tests.support.partner_apis import answer

RUN_OUT = "token-has-run-out"


class _Renews:
    """The methods of `RefreshesTokens`. The header `token-has-run-out` in an answer says that the token has run out."""

    def token_has_run_out(self, response: HttpResponse) -> bool:
        return RUN_OUT in response.headers

    def ask_refresh(self, access: Access) -> HttpRequest:  # noqa: ARG002 - as the protocol has it
        return HttpRequest("POST", "/token")

    def read_refresh(self, response: HttpResponse) -> Mapping[str, str]:  # noqa: ARG002 - the same
        return {"token": "new"}


def token_runs_out(channel: str) -> Step:
    """The channel's partner answers the next request that the token has run out, and then gives a new one."""

    def run_out(world: World) -> None:
        kind = type(find(channel).connector)
        for name in ("token_has_run_out", "ask_refresh", "read_refresh"):
            setattr(kind, name, getattr(_Renews, name))
        _ANSWERS.clear()  # a class is checked for its capabilities only once
        world.partners.http.answer(answer(401, token_has_run_out="1"), answer(200, {}))

    return run_out

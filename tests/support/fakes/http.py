"""Partners in memory: a test says what they answer, and sees what they were asked."""

from collections.abc import Callable
from typing import NamedTuple

from dropship.ports import HttpRequest, HttpResponse, NoAnswer

Partner = Callable[[HttpRequest], HttpResponse]


class Asked(NamedTuple):
    """A request as it was sent."""

    base_url: str
    request: HttpRequest


class FakeHttp:
    """`ports.Http`. A partner is found by its base URL; the entries of `script` are answered first, one per request."""

    def __init__(self) -> None:
        self.partners: dict[str, Partner] = {}
        self.script: list[HttpResponse | NoAnswer] = []
        self.asked: list[Asked] = []

    def partner(self, base_url: str, answer: Partner) -> None:
        """Send requests below `base_url` to this partner."""
        self.partners[base_url] = answer

    def answer(self, *answers: HttpResponse | NoAnswer) -> None:
        """Answer the next requests with these, or fail with them."""
        self.script.extend(answers)

    def send(self, base_url: str, request: HttpRequest) -> HttpResponse:
        if not self.script and base_url not in self.partners:
            raise NoAnswer("nobody lives there", sent=False)
        self.asked.append(Asked(base_url, request))
        if not self.script:
            return self.partners[base_url](request)
        answer = self.script.pop(0)
        if isinstance(answer, NoAnswer):
            raise answer
        return answer

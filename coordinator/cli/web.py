"""--web and --web-name: the status page beside a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coordinator.workflows.watching.page import Page

if TYPE_CHECKING:
    from support.endpoint import Endpoint

F = TypeVar("F", bound=Callable[..., Any])
ALONE = ""
"""The value of `--web` without an address."""


class _Address(click.ParamType["Endpoint | str"]):
    """HOST:PORT, or ALONE."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Endpoint | str:
        """Fails on anything else, such as the inventory: it is the next word where --web comes before it."""
        from support.endpoint import Endpoint

        if value == ALONE or isinstance(value, Endpoint):
            return value  # type: ignore[no-any-return]  # either of the two
        try:
            return Endpoint.parse(str(value))
        except ValueError as error:
            self.fail(f"{error}; without an address, write --web after the inventory", param, ctx)


def web_options(command: F) -> F:
    """--web and --web-name; the command gets `web` and `web_names`."""
    named = click.option(
        "--web-name", "web_names", multiple=True, metavar="NAME",
        help="A name by which a proxy or browser asks for the status page, besides localhost and addresses.",
    )(command)  # fmt: skip
    return click.option(
        "--web", is_flag=False, flag_value=ALONE, type=_Address(), metavar="[HOST:PORT]",
        help="Show a status page there, to look at only; without an address on 127.0.0.1:8080, or a free port.",
    )(named)  # fmt: skip


def page_of(web: Endpoint | str | None, names: tuple[str, ...]) -> Page:
    """The page that the options ask for; its port is taken at once. Raises UsageProblem."""
    if web is None:
        if names:
            raise click.UsageError("--web-name has no effect without --web")
        return Page()
    from coordinator.web.listening import Door

    endpoint = None if isinstance(web, str) else web
    known = (*names, endpoint.host) if endpoint else names
    return Page(Door.at(endpoint), known)

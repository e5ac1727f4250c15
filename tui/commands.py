"""What the command palette offers beside Textual's own: what the keys do, and every stage by name."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher
from textual.markup import escape
from textual.types import IgnoreReturnCallbackType

if TYPE_CHECKING:
    from tui.app import Dashboard

ACTIONS = {
    "Run what is selected": ("app.run_selected", "a stage and what it needs, or an experiment"),
    "Run all": ("app.run_all", "all that is stale of every experiment"),
    "Force the selected stage": ("app.force", "make it again, though it is fresh"),
    "Compile the matrix": ("app.run_matrix", "what the experiment costs on every Ethos-U, and which boards it fits"),
    "Stop": ("app.stop", "stop the run; what finished stays"),
    "Edit the experiment": ("app.edit", "in $EDITOR"),
    "Compare results": ("app.compare", "side by side, with the Pareto front"),
    "Copy": ("app.copy", "what the cursor is on"),
    "Help": ("app.help", "keys, signs and words"),
}


class GoToProvider(Provider):
    """Actions, and "go to" for every experiment and stage."""

    async def discover(self) -> Hits:
        """Offer the actions before anything is typed."""
        for name, (action, words) in ACTIONS.items():
            yield DiscoveryHit(name, partial(self.app.run_action, action), help=words)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for name, command, words in self._commands():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, _highlighted(matcher, name), command, text=name, help=escape(words))

    def _commands(self) -> Iterator[tuple[str, IgnoreReturnCallbackType, str]]:
        for name, (action, words) in ACTIONS.items():
            yield name, partial(self.app.run_action, action), words
        dashboard = cast("Dashboard", self.app)
        for facts in dashboard.snapshot.experiments if dashboard.snapshot else ():
            yield f"Go to {facts.name}", partial(_go_to, dashboard, facts.name, None), facts.description
            for stage in facts.stages:
                go = partial(_go_to, dashboard, facts.name, stage.job.name)
                yield f"Go to {stage.job.name}", go, stage.state


def _go_to(dashboard: "Dashboard", experiment: str, job: str | None) -> None:
    while dashboard.screen is not dashboard.main:
        dashboard.pop_screen()
    dashboard.main.select(experiment, job)


def _highlighted(matcher: Matcher, name: str) -> Content:
    """Return a name with what was typed standing out; brackets are not markup."""
    _, offsets = matcher.fuzzy_search.match(matcher.query, name)
    found = Content(name)
    for offset in offsets:
        found = found.stylize(matcher.match_style, offset, offset + 1)
    return found

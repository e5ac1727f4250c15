"""What the command palette offers beside Textual's own: what the keys do, and every stage by name."""

from collections.abc import Iterator
from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher
from textual.markup import escape
from textual.types import IgnoreReturnCallbackType

from tui.data.project import Snapshot

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


class ShowsStages(Protocol):
    """An app that has experiments and stages to go to."""

    snapshot: Snapshot | None

    def go_to(self, experiment: str, job: str | None) -> None:
        """Show an experiment, or one of its stages."""


class GoToProvider(Provider):
    """Actions, and "go to" for every experiment and stage."""

    async def discover(self) -> Hits:
        """Offer the actions before anything is typed."""
        for name, (action, explanation) in ACTIONS.items():
            yield DiscoveryHit(name, partial(self.app.run_action, action), help=explanation)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for name, command, explanation in self._commands():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, _highlighted(matcher, name), command, text=name, help=escape(explanation))

    def _commands(self) -> Iterator[tuple[str, IgnoreReturnCallbackType, str]]:
        for name, (action, explanation) in ACTIONS.items():
            yield name, partial(self.app.run_action, action), explanation
        dashboard = cast("ShowsStages", self.app)
        for experiment in dashboard.snapshot.experiments if dashboard.snapshot else ():
            yield f"Go to {experiment.name}", partial(dashboard.go_to, experiment.name, None), experiment.description
            for stage in experiment.stages:
                go = partial(dashboard.go_to, experiment.name, stage.job.name)
                yield f"Go to {stage.job.name}", go, stage.state


def _highlighted(matcher: Matcher, name: str) -> Content:
    """Return a name with what was typed standing out; brackets are not markup."""
    _, offsets = matcher.fuzzy_search.match(matcher.query, name)
    content = Content(name)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content

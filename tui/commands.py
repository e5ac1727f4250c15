"""What the command palette offers beside Textual's own: what the keys do, and every stage by name."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

if TYPE_CHECKING:
    from tui.app import Dashboard

ACTIONS = {
    "Run what is selected": ("app.run_selected", "a stage and what it needs, or an experiment"),
    "Run all": ("app.run_all", "all that is stale of every experiment"),
    "Force the selected stage": ("app.force", "make it again, though it is fresh"),
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
                yield Hit(score, matcher.highlight(name), command, help=words)

    def _commands(self) -> Iterator[tuple[str, IgnoreReturnCallbackType, str]]:
        for name, (action, words) in ACTIONS.items():
            yield name, partial(self.app.run_action, action), words
        dashboard = cast("Dashboard", self.app)
        for facts in dashboard.snapshot.experiments if dashboard.snapshot else ():
            yield f"Go to {facts.name}", partial(dashboard.main.select, facts.name, None), facts.description
            for stage in facts.stages:
                go = partial(dashboard.main.select, facts.name, stage.job.name)
                yield f"Go to {stage.job.name}", go, stage.state

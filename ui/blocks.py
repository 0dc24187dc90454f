"""The page as a whole: header, then the tabs in order, and the endpoints for programs. No logic.

A tab's module stands in `ui/pages/` and offers two functions. `build(app)` is called inside its `gr.Tab`, makes the
components and returns them as a dataclass. `wire(page, app, tabs)` is called when every page is built and attaches the
listeners; `tabs` is a `ui.app.Tabs`. A new tab is one module, one line in `TABS` and one field of `Tabs`.
"""

from __future__ import annotations

import gradio as gr

from playground.snapshotting import is_lost_at_restart
from ui import api, header
from ui.app import App, Tabs
from ui.components import static, trouble_place
from ui.lean_sessions import lean
from ui.pages import arena, costs, history, leaderboard, playground, settings
from ui.snapshot_views import UNKEPT

TABS = (
    ("playground", "Playground", playground),
    ("arena", "Arena", arena),
    ("leaderboard", "Leaderboard", leaderboard),
    ("history", "History", history),
    ("costs", "Costs", costs),
    ("settings", "Settings", settings),
)
"""Id, which is also the address (`#history`), label and module of each tab."""


def build_app(app: App) -> gr.Blocks:
    """The page of this application, ready for `launch(**launch_options(app))`."""
    demo = gr.Blocks(title="Diptych", fill_width=True, delete_cache=(3600, 86_400), analytics_enabled=False)
    with demo:
        strip = header.build()
        if is_lost_at_restart(app.services.settings):
            static(f"<p>{UNKEPT}</p>", elem_id="d-unkept")
        built, tab_of = {}, {}
        with gr.Tabs(selected="playground", overflow_behavior="wrap", elem_id="nav") as bar:
            for tab_id, label, module in TABS:
                with gr.Tab(label, id=tab_id, elem_id=f"tab-{tab_id}") as tab_of[tab_id]:
                    if tab_id != "playground":  # which has a place of its own, beside its form
                        trouble_place(tab_id)
                    built[tab_id] = module.build(app)
        tabs = Tabs(demo=demo, bar=bar, strip=strip, **tab_of)
        for tab_id, _, module in TABS:
            module.wire(built[tab_id], app, tabs)
        api.register(app)
    return lean(demo).queue(default_concurrency_limit=20, max_size=500)

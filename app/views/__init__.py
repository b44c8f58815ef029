"""The views, one module each; `discover` finds them, so that a view is added by adding a file."""

from __future__ import annotations

import importlib
import pkgutil

from app.views.view import Area, Loaded, View, ViewSpec

__all__ = ["Area", "Loaded", "View", "ViewSpec", "discover"]


def discover() -> list[ViewSpec]:
    """The `VIEW` of every ``*_view`` module of this package, by area and order; an id used twice, or one
    that `behind` names and nobody has, raises ValueError."""
    specs: dict[str, ViewSpec] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.endswith("_view"):
            continue
        spec: ViewSpec = importlib.import_module(f"{__name__}.{module.name}").VIEW
        if spec.id in specs:
            raise ValueError(f"two views call themselves {spec.id!r}")
        specs[spec.id] = spec
    for spec in specs.values():
        if spec.behind and spec.behind not in specs:
            raise ValueError(f"{spec.id!r} stands behind {spec.behind!r}, which is no view")
    areas = list(Area)
    return sorted(specs.values(), key=lambda spec: (areas.index(spec.area), spec.order, spec.id))

"""The picture in words, for those who cannot see it."""

from __future__ import annotations

from app.widgets.rings.crossing import Crossing
from app.widgets.rings.paint_rates import rate_words
from app.widgets.rings.rates import Flow
from app.widgets.rings.scene import Scene
from core.stage import ring_name


def describe(scene: Scene, crossing: Crossing | None, flows: tuple[Flow, ...]) -> str:
    """Where the CPU is, what the guest believes, and what crossed last, or how often."""
    here = scene.ring(scene.at)
    sentences = [f"VM {scene.vm} runs in {here.name}."]
    if scene.believed is not scene.at:
        sentences.append(f"The guest believes it is in {ring_name(scene.believed)}.")
    if flows:
        sentences.append("Crossings: " + "; ".join(_flow_words(flow) for flow in flows) + ".")
    elif crossing is not None:
        sentences.append(f"Last crossing: {crossing.headline}, {crossing.detail}, {crossing.route}.")
        if crossing.trap:
            sentences.append(f"{crossing.trap.handler}: {crossing.trap.outcome}.")
    else:
        sentences.append("Nothing has crossed yet.")
    return " ".join(sentences)


def explain(crossing: Crossing) -> str:
    """What happened, why such a thing happens, and what was done, a line each: the picture's tooltip."""
    trap = crossing.trap
    if trap is None:
        return (
            f"{crossing.headline.capitalize()}: {crossing.route}\nThe CPU changed its ring by itself; nothing trapped."
        )
    return f"{crossing.headline}: {crossing.route}\n{trap.cause.meaning}\n{trap.handler}: {trap.outcome}"


def _flow_words(flow: Flow) -> str:
    how = flow.cause.phrase if flow.cause else "without a trap"
    return f"{ring_name(flow.start)} to {ring_name(flow.end)} {rate_words(flow.per_second)}, {how}"

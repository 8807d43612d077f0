"""Timer: look at what is due."""

from __future__ import annotations

import azure.functions as func

from functions.frame import envelope, telemetry, wiring

bp = func.Blueprint()


@bp.function_name("upkeep")
@bp.timer_trigger(arg_name="timer", schedule="%UPKEEP_SCHEDULE%", run_on_startup=False, use_monitor=True)
def upkeep(timer: func.TimerRequest) -> None:
    """Resend, expire, answer, rotate: whatever is due."""
    with telemetry.correlated(), envelope.trouble("upkeep"):
        wiring.services().upkeep()

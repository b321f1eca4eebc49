"""What can be set about control: the published demo's laws, and the closed loop for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assets3d.errors import InputError
from motion.features import STYLES

#: Speeds at which the published dog shows each gait: a gait is a speed, not a style.
GAIT_SPEEDS_M_S = {"walk": 0.7, "pace": 1.2, "trot": 2.0, "canter": 4.0}


@dataclass(frozen=True)
class ControlSettings:
    """How commands become the trajectory, and how predictions are taken up.

    The default follows a script: it keeps a heading of its own and closes the loop on speed and on
    heading, so what was commanded is what the animal settles on even where the network answers
    too slowly or too weakly. `demo()` is the published interactive controller, law by law.

    Attributes:
        gain_moving, gain_idle: share of the way that target direction, target velocity, speed and
            correction go each frame while commanded to move, and while not.
        transitions: (6) share of the way that each style goes at the root each frame; the last
            future point goes all the way. The demo's own numbers are not known; its class default
            is 0.1, about a third of a second for 90 %.
        style_speeds_m_s: (6) speed of a command that names none. The demo's numbers are not known:
            pace for moving and a run-up's speed for jumping; the seated styles stand still.
        speed_gain, speed_integral, speed_derivative: PID on speed, in 1, 1/s and s.
        speed_correction_limit: the PID's integral adds at most this share of the wanted speed.
        turn_angle_deg: the target direction lies this far to the side at full turn (demo); also
            the rate in deg/s that full turn stands for.
        closed_loop: False is the demo: turning as far as the keys say, PID only on straights.
        arc_future: lay the target over the future as an arc, so that a steady turn is one; the
            demo aims every future point at the one target direction.
        unit_directions: make blended directions unit again; the demo does not.
        add_velocity: add the root's velocity to the future's in each frame, as the demo does; it
            makes stopping slow, for what is not commanded keeps running on.
        heading_gain, heading_integral: how much the target direction leads by the heading error
            (1) and by its integral (1/s).
        heading_integral_limit_deg: bound of what the integral adds.
        heading_error_limit_deg: the kept heading never leaves the animal's by more than this.
        turn_rate_limit_deg_s: how fast a new heading is approached.
        lead_limit_deg: the target direction never leads the animal's by more than this.
        speed_delay_s, turn_delay_s: how late an animal answers: errors are told from what can be
            expected by then.
        acceleration_m_s2, deceleration_m_s2: how fast the wanted speed changes; inf in the demo.
        slow_enough_m_s: sitting, rearing and lying wait until the animal is slower than this;
            jumping waits until it is faster.
        warm_up_s: time at the start in which moving forward is forced (demo: 1).
        root_motion_unit: what the network's last three outputs are per; one version of the
            published exporter forgot the factor of 60.
    """

    gain_moving: float = 0.25
    gain_idle: float = 0.05
    transitions: tuple[float, ...] = (0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    style_speeds_m_s: tuple[float, ...] = (0.0, 1.2, 2.0, 0.0, 0.0, 0.0)
    speed_gain: float = 0.2
    speed_integral: float = 0.5
    speed_derivative: float = 0.0
    speed_correction_limit: float = 1.0
    turn_angle_deg: float = 60.0
    closed_loop: bool = True
    arc_future: bool = True
    unit_directions: bool = True
    add_velocity: bool = False
    heading_gain: float = 2.0
    heading_integral: float = 1.0
    heading_integral_limit_deg: float = 60.0
    heading_error_limit_deg: float = 30.0
    turn_rate_limit_deg_s: float = 90.0
    lead_limit_deg: float = 120.0
    speed_delay_s: float = 0.6
    turn_delay_s: float = 0.33
    acceleration_m_s2: float = 3.0
    deceleration_m_s2: float = 6.0
    slow_enough_m_s: float = 0.5
    warm_up_s: float = 0.0
    root_motion_unit: Literal["per_second", "per_frame"] = "per_second"

    def __post_init__(self) -> None:
        """Check what a person can get wrong in a manifest; raises `InputError`."""
        for name in ("transitions", "style_speeds_m_s"):
            count = len(getattr(self, name))
            if count != len(STYLES):
                raise InputError(
                    f"control.{name}: {count} numbers, wanted {len(STYLES)} ({', '.join(STYLES)})"
                )
        if self.root_motion_unit not in ("per_second", "per_frame"):
            raise InputError(
                f"control.root_motion_unit: {self.root_motion_unit!r}, "
                "wanted per_second or per_frame"
            )
        for name in ("gain_moving", "gain_idle"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise InputError(f"control.{name}: {value}, wanted more than 0 and at most 1")

    @staticmethod
    def demo() -> ControlSettings:
        """Return the published demo's behaviour, as far as its numbers are known."""
        unlimited = float("inf")
        return ControlSettings(
            closed_loop=False,
            arc_future=False,
            unit_directions=False,
            add_velocity=True,
            speed_integral=0.8,
            speed_correction_limit=unlimited,
            acceleration_m_s2=unlimited,
            deceleration_m_s2=unlimited,
            warm_up_s=1.0,
        )

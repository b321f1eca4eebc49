"""Live play: no command is dropped, the page gets what it draws, nobody else may connect."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from motion.control.controller import Controller
from motion.network import Prediction
from motion.play.__main__ import main
from motion.play.live import JUMP_S, STEPS_A_SECOND, Keys, Simulation, bone_matrices, command_of
from motion.play.server import make_app
from motion.skeleton import QUADRUPED
from motion.weights import random_weights, write_safetensors

LAYOUT = (3, 3, 8, 6, 3, 48, 12 * 27)


def standing(_x) -> Prediction:
    """Predict the standing rest pose for ever, walking ahead at 1 m/s."""
    output = np.zeros(363, np.float32)
    bones = output[36:360].reshape(27, 12)
    from motion.skeleton import REST_AXES

    bones[:, :3] = QUADRUPED.rest_positions_m
    bones[:, 3:6], bones[:, 6:9] = REST_AXES[:, :, 2], REST_AXES[:, :, 1]
    output[3:36:6] = 1.0
    output[362] = 1.0
    return Prediction(output, np.full(8, 0.125, np.float32))


def make_controller() -> Controller:
    return Controller(standing)


def test_a_tap_shorter_than_a_step_is_still_obeyed():
    simulation = Simulation(make_controller())
    for number, ahead in enumerate((1, 0, -1, 0), 1):
        simulation.push(number, Keys(ahead=ahead))
    assert [simulation.step().number for _ in range(6)] == [1, 2, 3, 4, 4, 4]


def test_a_tap_on_jump_lasts_long_enough_to_be_one():
    simulation = Simulation(make_controller())
    simulation.push(1, Keys(ahead=1, gait="trot", style="jump"))
    simulation.push(2, Keys(ahead=1, gait="trot"))
    jump = [simulation.step().frame.styles[2] for _ in range(round(JUMP_S * STEPS_A_SECOND) + 60)]
    assert np.argmax(jump) > 10
    assert jump[-1] < max(jump)


@pytest.mark.parametrize(
    ("keys", "style", "speed", "travel"),
    [
        (Keys(), "idle", None, 0.0),
        (Keys(ahead=1, gait="trot"), "move", 2.0, 0.0),
        (Keys(ahead=-1, gait="canter"), "move", 0.7, np.pi),
        (Keys(left=1), "move", 0.7, np.pi / 2),
        (Keys(turn=1, gait="canter"), "move", 0.7, 0.0),
        (Keys(ahead=1, style="rear"), "stand", None, 0.0),
    ],
)
def test_keys_mean(keys, style, speed, travel):
    command = command_of(keys)
    assert (command.style, command.speed_m_s) == (style, speed)
    assert command.travel_rad == pytest.approx(travel)


def test_turning_left_is_positive():
    assert command_of(Keys(turn=1)).turn_rad_s > 0 > command_of(Keys(turn=-1)).turn_rad_s


def test_the_rest_pose_needs_no_bone_matrices():
    rows = bone_matrices(Simulation(make_controller()).step().frame)
    eye = np.broadcast_to(np.eye(3), (27, 3, 3))
    np.testing.assert_allclose(rows[:, :, :3], eye, atol=1e-6)
    np.testing.assert_allclose(rows[:, [0, 1], 3], 0.0, atol=1e-6)


@pytest.mark.parametrize(
    "fields", [{"ahead": 2}, {"gait": "gallop"}, {"style": "dance"}, {"turn": 0.5}]
)
def test_keys_that_do_not_exist(fields):
    with pytest.raises(ValueError, match="wanted"):
        Keys(**fields)


def test_a_page_gets_its_body_and_every_command_is_answered():
    commands = 40

    async def talk():
        async with TestClient(TestServer(make_app(make_controller))) as client:
            page = await (await client.get("/")).text()
            assert "view.js" in page
            assert (await client.get("/scene.js")).content_type == "text/javascript"
            socket = await client.ws_connect("/live")
            body = json.loads((await socket.receive()).data)
            assert len(body["vertices"]) == len(body["normals"]) == 3 * len(body["joints"]) // 4
            await socket.send_str('{"number": 0, "keys": {"gait": "gallop"}}')
            for number in range(1, commands + 1):
                keys = {"ahead": number % 2, "gait": "trot"}
                await socket.send_str(json.dumps({"number": number, "keys": keys}))
            obeyed, errors = [], []
            while not obeyed or obeyed[-1] < commands:
                message = await socket.receive(timeout=20)
                if isinstance(message.data, str):
                    errors.append(json.loads(message.data)["error"])
                    continue
                values = np.frombuffer(message.data, "<f4")
                assert len(values) == sum(LAYOUT)
                wanted = slice(20, 23)  # its heading is nan where none is asked for
                assert np.isfinite(np.delete(values, wanted)).all()
                obeyed.append(int(values[0]))
            await socket.close()
            return obeyed, errors

    obeyed, errors = asyncio.run(talk())
    assert set(obeyed) >= set(range(1, commands + 1))
    assert len(errors) == 1
    assert "gallop" in errors[0]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_other_sites_are_refused(headers):
    async def ask() -> int:
        async with TestClient(TestServer(make_app(make_controller))) as client:
            return (await client.get("/", headers=headers)).status

    assert asyncio.run(ask()) == 403


def test_weights_of_few_experts_fill_the_page(tmp_path, monkeypatch):
    path = tmp_path / "small.safetensors"
    write_safetensors(path, random_weights(1, hidden=16, experts=3))
    served = []
    monkeypatch.setattr("motion.play.server.make_app", lambda make: make)
    monkeypatch.setattr("aiohttp.web.run_app", lambda make, **_: served.append(make))
    assert main(["--weights", str(path), "--no-browser"]) == 0
    shown = Simulation(served[0]()).step()
    assert len(shown.packed()) == 4 * sum(LAYOUT)


@pytest.mark.parametrize("options", [("--port", "99999"), ("--weights", "nowhere")])
def test_what_it_cannot_start_with_is_one_line(options, capsys):
    assert main([*options, "--no-browser"]) == 1
    assert capsys.readouterr().err.count("\n") == 1

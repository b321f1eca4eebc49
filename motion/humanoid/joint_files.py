"""Reading the npy files of text-to-motion systems into joint positions.

MDM, MLD, T2M-GPT and MoMask write joint positions (T, 22, 3), or, straight from the network, the
263 numbers per frame of HumanML3D (Guo et al., CVPR 2022), usually standardised by Mean.npy and
Std.npy. Metres, +Y up, 20 frames a second.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError

Array = NDArray[np.float64]

JOINTS, VECTOR = 22, 263
#: Where things are in the vector: turn, root velocity x z, root height, 21 places; the rest is
#: rotations (made by inverse kinematics, unreliable), velocities and contacts, which we do not use.
_TURN, _VELOCITY, _HEIGHT, _PLACES = 0, slice(1, 3), 3, slice(4, 4 + 3 * (JOINTS - 1))
_WANTED = f"positions (T, {JOINTS}, 3) or vectors (T, {VECTOR})"
_HIPS_BAND_M = (0.05, 5.0)


def read_positions(
    path: Path, *, mean: Path | None = None, std: Path | None = None, normalised: bool = True
) -> Array:
    """Return joint positions (T, 22, 3) in metres from an npy file.

    Args:
        path: positions (T, 22, 3), with a leading 1 as T2M-GPT has it, or vectors (T, 263).
        mean: (263,) mean of the vectors; needed for vectors unless they are not normalised.
        std: (263,) standard deviation, likewise. It must be the pair the model was trained with.
        normalised: False where vectors are in metres already, as in the data set itself.

    Raises:
        InputError: another joint count or shape, NaN, a pickle, no mean and std: one line.
    """
    path = Path(path)
    data = _load(path)
    if data.ndim == 4 and len(data) == 1:
        data = data[0]
    if data.ndim == 3 and data.shape[0] == 1 and data.shape[2] == VECTOR:
        data = data[0]
    if data.ndim == 2 and data.shape[1] == VECTOR:
        data = decode(_denormalised(path, data, mean, std, normalised))
    _check_shape(path, data)
    _check_values(path, data)
    return data


def decode(vectors: Array) -> Array:
    """Return positions (T, 22, 3) from HumanML3D vectors (T, 263), already in metres.

    The first number is half the turn to the next frame about -Y, as an angle of the quaternion
    (cos a, sin a); root velocity is given in the frame turned to at its end.
    """
    half = np.concatenate([[0.0], np.cumsum(vectors[:-1, _TURN])])
    facing = Rotation.from_rotvec(np.outer(-2.0 * half, [0.0, 1.0, 0.0]))
    steps = np.zeros((len(vectors), 3))
    steps[1:, [0, 2]] = vectors[:-1, _VELOCITY]
    root = np.cumsum(facing.apply(steps), axis=0)
    root[:, 1] = vectors[:, _HEIGHT]
    places = vectors[:, _PLACES].reshape(len(vectors), JOINTS - 1, 3)
    turned = np.einsum("tij,tnj->tni", facing.as_matrix(), places)
    turned += root[:, None] * [1.0, 0.0, 1.0]
    return np.concatenate([root[:, None], turned], axis=1)


def _load(path: Path) -> Array:
    """Return the array of an npy file without ever unpickling."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted an npy with {_WANTED}")
    try:
        data = np.load(path, allow_pickle=False)
    except ValueError as error:
        if "allow_pickle" in str(error) or "pickle" in str(error):
            raise InputError(
                f"{path}: a pickle (MDM's results.npy is one), which can run code and is not "
                f"read; save one motion of it as {_WANTED}: r = np.load(file, allow_pickle=True)"
                ".item(); np.save('motion.npy', r['motion'][0].transpose(2, 0, 1)"
                "[:r['lengths'][0]])"
            ) from None
        raise InputError(f"{path}: not a readable npy ({error}); wanted {_WANTED}") from None
    except (EOFError, OSError) as error:
        raise InputError(f"{path}: cut short ({error}); wanted an npy with {_WANTED}") from None
    if not isinstance(data, np.ndarray):
        raise InputError(f"{path}: an npz archive; wanted one npy with {_WANTED}")
    if data.dtype.kind not in "fiu":
        raise InputError(f"{path}: numbers of kind {data.dtype}; wanted floats, {_WANTED}")
    return data.astype(np.float64)


def _denormalised(
    path: Path, data: Array, mean: Path | None, std: Path | None, normalised: bool
) -> Array:
    if not normalised:
        return data
    if mean is None or std is None:
        missing = " and ".join(n for n, p in (("mean", mean), ("std", std)) if p is None)
        raise InputError(
            f"{path}: (T, {VECTOR}) vectors without {missing}; wanted the Mean.npy and Std.npy "
            "the model was trained with, or `normalised: no` for vectors in metres"
        )
    scale, shift = _statistic(Path(std)), _statistic(Path(mean))
    if scale.min() <= 0:
        raise InputError(
            f"{std}: number {int(scale.argmin())} is {scale.min():g}; wanted all above 0"
        )
    return data * scale + shift


def _statistic(path: Path) -> Array:
    values = _load(path)
    if values.shape != (VECTOR,):
        raise InputError(f"{path}: shape {values.shape}; wanted ({VECTOR},)")
    if not np.isfinite(values).all():
        raise InputError(f"{path}: {_first_bad(values)}; wanted {VECTOR} finite numbers")
    return values


def _check_shape(path: Path, data: Array) -> None:
    shape = data.shape
    if data.ndim == 3 and shape[1:] == (JOINTS, 3):
        if len(data) < 2:
            raise InputError(f"{path}: {len(data)} frame; wanted at least 2 frames, {_WANTED}")
        return
    hint = ""
    if data.ndim == 3 and shape[:2] == (JOINTS, 3):
        hint = "; transpose (2, 0, 1) it first"
    elif data.ndim == 4:
        hint = f"; it holds {len(data)} motions, save the one you want"
    elif shape[-1:] == (251,) or (data.ndim == 3 and shape[1] == 21):
        hint = "; 21 joints are the KIT set, which has another skeleton"
    elif data.ndim == 3 and shape[2] == 3:
        hint = f"; it has {shape[1]} joints"
    raise InputError(f"{path}: shape {shape}; wanted {_WANTED}{hint}")


def _check_values(path: Path, data: Array) -> None:
    if not np.isfinite(data).all():
        raise InputError(f"{path}: {_first_bad(data)}; wanted finite metres")
    size = float(np.median(np.ptp(data[:, :, 1], axis=1)))
    if not _HIPS_BAND_M[0] < size < _HIPS_BAND_M[1]:
        raise InputError(
            f"{path}: the body is {size:.3g} high (median); wanted metres, +Y up, a person's size"
        )


def _first_bad(values: Array) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    return f"{values[index]} at {index}"

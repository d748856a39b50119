# SPDX-License-Identifier: Apache-2.0
"""A second, slow reading of the algorithm: plain Python integers of any size, key by key.

Written from the rules as the documents state them, without array code: selection is a sorted
list, masks are sentences, rounding is ``Fraction``. Only the tables of ``formats.py`` are shared.
"""

from dataclasses import dataclass
from fractions import Fraction

from pasa import formats as f
from pasa.command import Command


@dataclass(frozen=True)
class Row:
    """What one row comes to."""

    output: list[int]
    visible: list[int]
    distance: dict[int, int]  # of each visible key, when the row was predicted
    kept: list[int]
    weights: dict[int, int]  # of each kept key
    tails: dict[int, int]  # summed predicted weight of each block with dropped keys
    block_weights: dict[int, int]


def sees(command: Command, query: int, key: int) -> bool:
    """Whether a query may look at a key."""
    position = command.query_offset + query
    if key >= command.key_length:
        return False
    if command.causal and key > position:
        return False
    if command.window and not command.causal and key >= position + command.window:
        return False
    behind = command.window and key <= position - command.window
    return not behind or key < command.sinks


def nibble(code: int, bits: int) -> int:
    """The top bits of a code: nearest, half up, saturated."""
    step = 1 << 8 - bits
    return min((code + step // 2) // step, (1 << bits - 1) - 1)


def ceiling(octaves: int, fraction: int) -> int:
    """Smallest integer not below a fixed-point number."""
    return -(-octaves // (1 << fraction))


def dot(one: list[int], other: list[int]) -> int:
    """Dot product."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def add_scaled(sums: list[int], weight: int, codes: list[int]) -> list[int]:
    """sums + weight * codes."""
    return [each + weight * code for each, code in zip(sums, codes, strict=True)]


def predicted_score(command: Command, q: list[int], k: list[int], bits: int) -> int:
    """Predicted score in 1/16 octave: nearest, half up, saturated to 16 bits."""
    dims = command.predicted_slices * 16
    product = dot([nibble(x, bits) for x in q[:dims]], [nibble(x, bits) for x in k[:dims]])
    exact = Fraction(product * command.predicted_multiplier, 1 << command.predicted_shift)
    nearest = (exact + Fraction(1, 2)).__floor__()
    return max(-32768, min(32767, nearest))


def predicted_weight(distance: int) -> int:
    """2^-distance with 14 binary places, 0 far away."""
    if distance >= f.DISTANCE_FAR:
        return 0
    return int(f.predicted_weight_table()[distance % 16]) // (1 << distance // 16)


def log2_total(total: int) -> int:
    """log2 of a sum of predicted weights, 8 binary places, from its 7 leading bits."""
    top = total.bit_length() - 1
    leading = (total << 6) // (1 << top)
    return (top - f.PREDICTED_WEIGHT_FRACTION) * 256 + int(f.log2_table()[leading - 64])


def select(command: Command, distance: dict[int, int]) -> list[int]:
    """Kept keys: the first few of the list sorted by distance, then by key number."""
    order = sorted(distance, key=lambda key: (distance[key], key))
    count = len(order)
    if command.use_threshold and order:
        total = sum(predicted_weight(x) for x in distance.values())
        limit = (command.min_probability - log2_total(total)) // 16
        near = [key for key in order if distance[key] <= min(limit, f.DISTANCE_FAR)]
        count = max(1, len(near))
    if command.use_budget:
        count = min(count, command.budget)
    return sorted(order[:count])


def exp2(distance: int) -> int:
    """2^-distance for a distance with 16 binary places, 23 binary places."""
    base, slope = f.exp2_table()
    octave, within = divmod(distance, 1 << f.SCORE_FRACTION)
    piece, low = divmod(within, 1 << f.EXP2_LOW_BITS)
    mantissa = int(base[piece]) - (int(slope[piece]) * low >> f.EXP2_LOW_BITS)
    return mantissa >> octave


def normalise(command: Command, weighted: int, total: int) -> int:
    """Output code of one dimension."""
    top = total.bit_length() - 1
    average = (weighted << f.AVERAGE_FRACTION) // (1 << top)
    base, slope = f.reciprocal_table()
    piece, low = divmod((total << 17) // (1 << top) - (1 << 17), 1 << f.RECIPROCAL_LOW_BITS)
    reciprocal = int(base[piece]) - (int(slope[piece]) * low >> f.RECIPROCAL_LOW_BITS)
    factor = reciprocal * command.output_multiplier // (1 << f.OUTPUT_MULTIPLIER_BITS)
    code = round(Fraction(average * factor, 1 << command.output_shift))  # half to even
    limit = 1 << command.output_bits - 1
    return max(-limit, min(limit - 1, code))


def tails(
    command: Command, distance: dict[int, int], kept: list[int], block_keys: int
) -> dict[int, int]:
    """Block -> summed predicted weight of its dropped keys; wholly visible blocks only."""
    found = {}
    for block in range(command.key_count // block_keys):
        keys = range(block * block_keys, (block + 1) * block_keys)
        if command.use_tail and all(key in distance for key in keys):
            found[block] = sum(predicted_weight(distance[key]) for key in keys if key not in kept)
    return {block: weight for block, weight in found.items() if weight}


def row(command: Command, query: int, q, k, v, *, pred_bits: int = 4, block_keys: int = 64) -> Row:
    """One row of a head, from lists of ints."""
    visible = [key for key in range(command.key_count) if sees(command, query, key)]
    if not visible:
        return Row([0] * command.dims, [], {}, [], {}, {}, {})
    distance, kept, tail, reference = {}, visible, {}, None
    if command.use_threshold or command.use_budget:
        score = {key: predicted_score(command, q, k[key], pred_bits) for key in visible}
        predicted_reference = ceiling(max(score.values()), f.PREDICTED_FRACTION)
        distance = {
            key: min(predicted_reference * 16 - score[key], f.DISTANCE_FAR) for key in visible
        }
        kept = select(command, distance)
        tail = tails(command, distance, kept, block_keys)
        reference = predicted_reference if tail else None
    exact = {
        key: dot(q, k[key]) * command.score_multiplier // (1 << command.score_shift) for key in kept
    }
    best = ceiling(max(exact.values()), f.SCORE_FRACTION)
    top = best if reference is None else max(best, reference)
    weights = {key: exp2(top * (1 << f.SCORE_FRACTION) - exact[key]) for key in kept}
    scale = f.WEIGHT_FRACTION - f.PREDICTED_WEIGHT_FRACTION
    block_weights = {
        block: (predicted << scale) // block_keys >> top - reference
        for block, predicted in tail.items()
    }
    every = list(weights.items())
    for block, weight in block_weights.items():
        keys = range(block * block_keys, (block + 1) * block_keys)
        every += [(key, weight) for key in keys]  # the mean, as a share for each key of the block
    weighted, total = [0] * command.dims, 0
    for key, weight in every:
        total += weight
        weighted = add_scaled(weighted, weight, v[key])
    output = [normalise(command, each, total) for each in weighted]
    return Row(output, visible, distance, kept, weights, tail, block_weights)

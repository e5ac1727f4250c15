"""An unrolled network's commands share what they have in common."""

from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import made


def test_commands_that_differ_only_in_where_they_read_and_write_share_their_table(compile_network: Compile) -> None:
    planned = compile_network(made("gru"), 4).machine.planned

    tables = [one.table for one in planned if one.table is not None]

    assert len({id(table) for table in tables}) == len({table.tobytes() for table in tables}) < len(tables) / 2


def test_time_steps_share_their_weights_and_scales(compile_network: Compile) -> None:
    planned = compile_network(made("gru"), 4).machine.planned

    products = [one.product for one in planned if one.product is not None]

    contents = {b"".join(part.tobytes() for part in product.scales) for product in products}
    assert len({id(product.scales) for product in products}) == len(contents) < len(products)

"""Every channel is in the tuple and named like its file, has a reference, and reads the real examples."""

from pathlib import Path

import msgspec
import pytest

from unransom.catalog.channels import CHANNELS, recognise
from unransom.catalog.exports.channel import HEAD, Source
from unransom.catalog.exports.containers import unwrap
from unransom.catalog.exports.tables import records
from unransom.core.outputs import FileReader

SHARED = Path("../shared/data/orders")
EXAMPLES = sorted(
    path
    for pattern in ("amazon/*/*", "alipay/*", "paypal/airbyte/*")
    for path in SHARED.glob(pattern)
    if path.parent.name != "models"
)


def read(path):
    with FileReader(path) as reader:
        for source in unwrap(Source(path.name, reader)):
            channel = recognise(source.reader.read_at(0, HEAD))
            yield channel and channel.read(source)


def test_every_channel_file_is_in_the_tuple_and_named_like_it():
    folder = Path("src/unransom/catalog/channels")
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert sorted(channel.name for channel in CHANNELS) == sorted(files)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_a_channel_has_a_reference_and_a_realm(channel):
    assert all(reference.startswith("https://") for reference in channel.references)
    assert channel.references
    assert channel.realm in {"amazon", "ebay", "web"}


@pytest.mark.shared_data
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_real_example_parses(path):
    (export,) = read(path)
    assert export is not None
    for record in records(export):
        assert msgspec.json.encode(record)

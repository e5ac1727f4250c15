import hashlib
import hmac
from pathlib import Path

import pytest

from pipeline.engine.results.signature import SigningKeyError, is_signed, sign, team_key

KEY = b"a secret of the team's"


def test_a_signature_is_that_of_one_record_and_one_key() -> None:
    signature = sign(KEY, b"record")
    expected = hmac.new(KEY, b"unroll: a result's record\nrecord", hashlib.sha256).hexdigest()
    assert signature.decode().strip() == expected
    assert is_signed(KEY, b"record", signature)
    assert not is_signed(KEY, b"another", signature)
    assert not is_signed(b"the secret of others", b"record", signature)
    assert not is_signed(KEY, b"record", b"")
    assert not is_signed(KEY, b"record", b"\xff" * 65)


def test_without_a_key_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNROLL_CACHE_KEY", raising=False)
    assert team_key() is None
    monkeypatch.setenv("UNROLL_CACHE_KEY", "")
    assert team_key() is None


def test_a_line_s_end_is_not_part_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    monkeypatch.setenv("UNROLL_CACHE_KEY", str(path))
    for content in (KEY, KEY + b"\n", KEY + b"\r\n"):
        path.write_bytes(content)
        assert team_key() == KEY


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "a key has 16 to 4,096 bytes"),
        (b"short", "a key has 16 to 4,096 bytes"),
        (b"x" * 4097, "a key has 16 to 4,096 bytes"),
        (None, "the team's key can't be read: No such file or directory"),
    ],
)
def test_a_key_that_can_not_be_used_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, says: str
) -> None:
    path = tmp_path / "key"
    monkeypatch.setenv("UNROLL_CACHE_KEY", str(path))
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SigningKeyError) as caught:
        team_key()
    assert str(caught.value).startswith(f"UNROLL_CACHE_KEY={path}: {says}")

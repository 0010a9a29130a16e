"""Statements that are compiled once, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import BindParameter, Integer, bindparam, select, update
from support.library import add_tracks

from auralis_fp.library import LibraryRepository
from auralis_fp.library.errors import RefusedRow
from auralis_fp.library.store.prepared import Prepared


@pytest.fixture
def ids(repository: LibraryRepository) -> list[int]:
    """Add four tracks and return their ids."""
    return add_tracks(repository, [f"/music/{name}.wav" for name in "abcd"])


def test_rows_have_the_names_of_their_columns(repository: LibraryRepository, ids: list[int]) -> None:
    t = repository.database.tracks
    paths = Prepared(
        select(t.c.id, t.c.filepath.label("path")).where(t.c.id > bindparam("after")).order_by(t.c.id)
    )
    with repository.database.read() as connection:
        for after in (ids[1], ids[2]):
            rows = paths.rows(connection, {"after": after})
            assert [row.id for row in rows] == [i for i in ids if i > after]
        assert paths.first(connection, {"after": ids[2]}).path == "/music/d.wav"
        assert paths.first(connection, {"after": ids[3]}) is None


def test_columns_are_those_of_the_parameters(repository: LibraryRepository, ids: list[int]) -> None:
    t = repository.database.tracks
    change = Prepared(update(t).where(t.c.id == bindparam("track", type_=Integer())))
    read = Prepared(select(t.c.title, t.c.format).where(t.c.id == bindparam("track", type_=Integer())))
    with repository.database.write() as connection:
        assert change.execute(connection, {"track": ids[0], "title": "A", "format": "B"}) == 1
        assert change.execute(connection, {"title": "C", "track": ids[0]}) == 1
        assert change.execute(connection, {"title": "C", "track": 4711}) == 0
        assert tuple(read.first(connection, {"track": ids[0]})) == ("C", "B")


def test_lists_and_values_that_are_asked_for(repository: LibraryRepository, ids: list[int]) -> None:
    t = repository.database.tracks
    lowest = [ids[0]]
    ask = bindparam(None, callable_=lambda: lowest[0], type_=Integer())
    limit: BindParameter[int] = bindparam("limit", None, type_=Integer())
    between = (t.c.id.not_in(ids[1:3]), t.c.id >= ask, t.c.id <= limit)
    query = Prepared(select(t.c.id).where(*between).order_by(t.c.id))
    with repository.database.read() as connection:
        assert [row.id for row in query.rows(connection, {"limit": ids[3]})] == [ids[0], ids[3]]
        assert [row.id for row in query.rows(connection, {"limit": ids[2]})] == [ids[0]]
        lowest[0] = ids[1]
        assert [row.id for row in query.rows(connection, {"limit": ids[3]})] == [ids[3]]


def test_a_refused_value_is_a_refused_row(repository: LibraryRepository, ids: list[int]) -> None:
    t = repository.database.tracks
    change = Prepared(update(t).where(t.c.id == bindparam("track", type_=Integer())))
    taken = [{"track": ids[0], "title": "kept?"}, {"track": ids[0], "filepath": "/music/b.wav"}]
    with pytest.raises(RefusedRow):
        repository.database.run(lambda connection: [change.execute(connection, row) for row in taken])
    title = Prepared(select(t.c.title).where(t.c.id == bindparam("track", type_=Integer())))
    with repository.database.read() as connection:
        assert title.first(connection, {"track": ids[0]}).title != "kept?"

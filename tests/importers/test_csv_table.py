"""CSV files: what is read, and what is refused with file, line and remedy."""

import gzip
from pathlib import Path

import pytest

from itsm_core.errors import InvalidInput
from itsm_core.importers import table
from itsm_core.importers.table import Listed, Table, opened

PLAIN = "case,state,at\nA,New,2024-01-01\nB,Done,2024-01-02\n"
ROWS = [(2, ["A", "New", "2024-01-01"]), (3, ["B", "Done", "2024-01-02"])]


@pytest.fixture
def write(tmp_path):
    """`write(bytes or text, name)`: a file with this content."""

    def file(content, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        gzip.compress(PLAIN.encode()),
        PLAIN.removesuffix("\n"),
    ],
    ids=["plain", "crlf", "semicolons", "tabs", "bom", "gzip", "no-last-newline"],
)
def test_the_same_rows_whatever_the_dress(write, content):
    """Line ends, delimiter, byte-order mark and compression are seen, not asked for."""
    read = Table(write(content))
    assert read.header == ("case", "state", "at")
    assert list(read.rows()) == ROWS
    assert list(read.rows()) == ROWS


def test_a_row_is_numbered_by_its_first_line(write):
    """Quoted cells may hold line ends and delimiters; empty lines are skipped but counted."""
    read = Table(write('\ncase,text\n"A","one\ntwo, three"\n\nB,x\n'))
    assert list(read.rows()) == [(3, ["A", "one\ntwo, three"]), (6, ["B", "x"])]


# fmt: off
BAD = {
    "empty":        (b"", 1, "is empty"),
    "blank":        (b"\n \n", 1, "is empty"),
    "spreadsheet":  (b"PK\x03\x04rest", 1, "is a spreadsheet"),
    "utf-16":       (PLAIN.encode("utf-16"), 1, "is UTF-16"),
    "pdf":          (b"%PDF-1.7\n", 1, "is a PDF"),
    "latin-1":      (b"case,state\nA,ok\nB,gr\xfcn\n", 3, "is not UTF-8 .byte 0xfc in column 5"),
    "nul":          (b"case,state\nA,\0\n", 2, "holds a NUL byte"),
    "rubbish":      (bytes(range(256)), 1, "is not UTF-8|holds a NUL byte"),
    "short-row":    (b"case,state\nA,New\nB\n", 3, "has 1 cells where the header has 2"),
    "long-row":     (b"case,state\nA,New,extra\n", 2, "has 3 cells"),
    "open-quote":   (b'case,state\nA,New\n"B,New\n', 3, "is no CSV"),
    "carriage":     (b"case,state\rA,New\rB,New\r", 1, "is no CSV"),
    "cut-gzip":     (gzip.compress(PLAIN.encode() * 500)[:-20], None, "inside its compressed data"),
    "spoilt-gzip":  (gzip.compress(PLAIN.encode())[:12] + b"spoilt, spoilt", 1, "inside its compressed"),
    "not-gzip":     (b"\x1f\x8b\x00rest of it", 1, "inside its compressed data"),
}
# fmt: on


@pytest.mark.parametrize(("content", "line", "said"), BAD.values(), ids=BAD)
def test_what_is_no_table_is_refused_with_file_line_and_remedy(write, content, line, said):
    """Each kind of bad file by name: an InvalidInput that says where and what to do."""
    path = write(content)
    with pytest.raises(InvalidInput, match=said) as caught:
        list(Table(path).rows())
    assert caught.value.file == str(path)
    assert line is None or caught.value.line == line
    assert str(caught.value).startswith(f"{path}, line ")
    assert caught.value.remedy


def test_a_line_without_end_is_refused_before_it_fills_the_memory(write, monkeypatch):
    """A binary file may have no line end at all."""
    monkeypatch.setattr(table, "LONGEST_LINE", 100)
    with pytest.raises(InvalidInput, match="has a line of over 100 bytes"):
        Table(write("a" * 1000))


def test_a_missing_file_is_an_os_error(tmp_path):
    """The operating system says it best."""
    with pytest.raises(FileNotFoundError):
        Table(tmp_path / "none.csv")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no device of this name here")
def test_a_pipe_or_device_is_refused():
    """A log is read more than once; from a pipe the second time would be empty."""
    with pytest.raises(InvalidInput, match="is a pipe or device"):
        Table("/dev/null")


def test_rows_in_memory_are_a_table_too(write):
    """Mappings have the columns of the first one; a key that lacks is missing."""
    listed = opened(iter([{"case": "A", "state": "New"}, {"case": "B"}]))
    assert isinstance(listed, Listed)
    assert list(listed.rows()) == [(1, ["A", "New"]), (2, ["B", None])]
    assert isinstance(opened(str(write(PLAIN))), Table)
    with pytest.raises(InvalidInput, match=r"rows, line 1: .*hold nothing"):
        opened([])

"""Parses a multipart form as a stream: collects the text fields and returns the bytes of the file as they arrive.

No file and no network. The parser is python-multipart's.
"""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from models.bucket.embedded.errors import MalformedUpload

FIELDS_LIMIT_BYTES = 256 * 1024
PARTS_LIMIT = 100
HEADER_LIMIT_BYTES = 8 * 1024


class StreamedForm:
    """fields: the text fields by name. filename: of the file part, as the client wrote it. Feed, then `close`."""

    def __init__(self, content_type: str) -> None:
        """Raises MalformedUpload unless this is a multipart form with a boundary."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise MalformedUpload("the body is not multipart/form-data with a boundary")
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.has_file = False
        self._file_data: list[bytes] = []
        self._field_bytes = 0
        self._parts = 0
        self._whole = False
        self._begin_part()
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._part_data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
                max_header_size=HEADER_LIMIT_BYTES,
            )
        except FormParserError as error:
            raise MalformedUpload("the boundary is too long") from error

    def feed(self, chunk: bytes) -> bytes:
        """Parse a chunk of the body. Returns the bytes of the file in it. Raises MalformedUpload."""
        self._file_data.clear()
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUpload("the form is malformed") from error
        return b"".join(self._file_data)

    @property
    def is_complete(self) -> bool:
        """Whether the form has ended. What a client sends after that is no part of it."""
        return self._whole

    def close(self) -> None:
        """Raise MalformedUpload unless the form is complete and contains a file."""
        if not self._whole:
            raise MalformedUpload("the form is cut off")
        if not self.has_file:
            raise MalformedUpload("file is not specified in multipart")

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > PARTS_LIMIT:
            raise MalformedUpload("the form has too many parts")
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._value = bytearray()
        self._in_file = False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() != b"content-disposition":
            return
        _, options = parse_options_header(value)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == "file":
            self.filename = options.get(b"filename", b"").decode("utf-8", "replace")

    def _headers_finished(self) -> None:
        if self._name == "file":
            if self.has_file:
                raise MalformedUpload("the form has two files")
            self._in_file = self.has_file = True

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._file_data.append(data[start:end])
            return
        self._field_bytes += end - start
        if self._field_bytes > FIELDS_LIMIT_BYTES:
            raise MalformedUpload("the form's fields are too long")
        self._value.extend(data[start:end])

    def _part_end(self) -> None:
        if self._in_file:
            return
        if self._name in self.fields:
            raise MalformedUpload("a field is repeated")
        try:
            self.fields[self._name] = self._value.decode()
        except UnicodeDecodeError as error:
            raise MalformedUpload("a field is not UTF-8") from error

    def _end(self) -> None:
        self._whole = True

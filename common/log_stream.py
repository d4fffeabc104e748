"""Where log lines go: a full disk, or a reader who left, costs lines and never the work that they tell of."""

from typing import TextIO


class EnduringStream:
    """Bears with a stream that takes nothing, for as long as that lasts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost_lines = 0
        """Since the last one that was written."""

    def write(self, line: str) -> int:
        """Whole lines; what cannot be written is gone."""
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError:
            self.lost_lines += 1
        else:
            self.lost_lines = 0
        return len(line)

    def flush(self) -> None:
        """Each line is on its way already."""

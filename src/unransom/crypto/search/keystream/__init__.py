"""What repeats under XOR: periods, chunks, voting on keystream bytes, key tables, blocks of ECB."""

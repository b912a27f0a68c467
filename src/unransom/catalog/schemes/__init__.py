"""How lockers lock, in parts that a family is put together from: layout, key wrap, cipher, extents.

Every part is either a structure of plain data or, where a family is odder than that, a function with
the same signature in the family's own file.
"""

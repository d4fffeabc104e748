"""The types, tables and rules of the field."""

"""What the database is named that every test's own one is a copy of."""

TEMPLATE = "migrated_template"

"""What the suite may ask of the dialect: all that SQLite can, whether by Python's sqlite3 or by brant.

SQLAlchemy leaves to a third-party dialect to say so; where this says no, SQLite says no, for the reason that stands beside it, and both runs leave it out.
"""

from typing import Any

import sqlalchemy
from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

HAS = """
autocommit check_constraint_reflection computed_columns computed_columns_reflect_persisted computed_columns_stored computed_columns_virtual
create_table_as create_temp_table_as ctes ctes_with_update_delete ctes_with_values date_historic datetime_historic datetime_literals dbapi_lastrowid
expression_server_defaults fk_constraint_option_reflection_ondelete_noaction fk_constraint_option_reflection_ondelete_restrict
fk_constraint_option_reflection_onupdate_restrict foreign_key_constraint_name_reflection foreign_key_constraint_option_reflection_ondelete
foreign_key_constraint_option_reflection_onupdate float_or_double_precision_behaves_generically index_ddl_if_exists indexes_with_expressions infinity_floats
inline_check_constraint_reflection isolation_level json_type percent_schema_names
precision_numerics_retains_significant_digits reflect_table_options reflects_pk_names repeated_column_foreign_keys repeated_remote_col_foreign_keys server_defaults
skip_autocommit_rollback supports_bitwise_and supports_bitwise_not supports_bitwise_or supports_bitwise_shift table_ddl_if_exists
tuple_in unicode_ddl unique_constraint_reflection update_from views window_functions window_range window_range_numeric savepoints
""".split()

LACKS: dict[str, str] = {
    "fetch_no_order_by": "no FETCH FIRST",
    "temporary_tables": "a temporary table is its connection's, and a pool on a file has several",
    "temp_table_reflection": "the same",
    "parens_in_union_contained_select_w_limit_offset": "no parentheses around the SELECTs of a UNION",
    "parens_in_union_contained_select_wo_limit_offset": "the same",
    "implicitly_named_constraints": "a constraint without a name has none",
    "schemas": "would want a second file attached",
}


class Requirements(SuiteRequirements):
    def get_isolation_levels(self, config: Any) -> dict[str, Any]:
        dialect = config.db.dialect
        with config.db.connect() as connection:
            supported = dialect.get_isolation_level_values(connection.connection.dbapi_connection)
        return {"default": dialect.default_isolation_level, "supported": supported}


for name in HAS:
    assert hasattr(SuiteRequirements, name) or sqlalchemy.__version__ < "2.1", name
    setattr(Requirements, name, property(lambda self: exclusions.open()))
for name, reason in LACKS.items():
    assert hasattr(SuiteRequirements, name), name
    setattr(Requirements, name, property(lambda self, reason=reason: exclusions.skip_if(exclusions.BooleanPredicate(True, reason))))

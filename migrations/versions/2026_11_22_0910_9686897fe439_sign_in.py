"""Add sign-in functions and the built-in roles

Why:   the application never reads a password hash by itself: one function per step, and
       roles to give.
Lock:  ROW EXCLUSIVE on auth.roles, which blocks nobody.
Phase: expand - nothing existed before that could stop working.
Back:  drops the functions and deletes the built-in roles that nobody holds.
"""

from __future__ import annotations

from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "9686897fe439"
down_revision = "becf7e9dbc8c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("9686897fe439_auth_has_permission")
    apply_sql("9686897fe439_auth_holds_all")
    apply_sql("9686897fe439_auth_set_context")
    apply_sql("9686897fe439_auth_find_login")
    apply_sql("9686897fe439_auth_verify_api_key")
    apply_sql("9686897fe439_auth_rotate_session")
    apply_sql("9686897fe439_auth_record_login")
    apply_sql("9686897fe439_auth_create_user")
    apply_sql("9686897fe439_auth_create_organization")
    apply_sql("9686897fe439_auth_is_colleague")
    apply_sql("9686897fe439_auth_accept_invitation")
    apply_sql("9686897fe439_builtin_roles")


def downgrade() -> None:
    as_owner()
    # a role that a member or a group holds stays, until its table goes
    op.execute(
        "DELETE FROM auth.roles r WHERE r.organization_id IS NULL"
        " AND NOT EXISTS (SELECT FROM auth.memberships m WHERE m.role_id = r.id)"
        " AND NOT EXISTS (SELECT FROM auth.groups g WHERE g.role_id = r.id)"
    )
    op.execute("DROP FUNCTION auth.accept_invitation(integer)")
    op.execute("DROP FUNCTION auth.is_colleague(integer)")
    op.execute("DROP FUNCTION auth.create_organization(text, text)")
    op.execute("DROP FUNCTION auth.create_user(text, text, text, integer, text)")
    op.execute("DROP FUNCTION auth.record_login(integer, boolean)")
    op.execute("DROP FUNCTION auth.rotate_session(bytea, bytea, inet, text)")
    op.execute("DROP FUNCTION auth.verify_api_key(bytea)")
    op.execute("DROP FUNCTION auth.find_login(text)")
    op.execute("DROP FUNCTION auth.set_context(integer, integer, text)")
    op.execute("DROP FUNCTION auth.holds_all(text[], integer, integer)")
    op.execute("DROP FUNCTION auth.has_permission(text, integer, integer)")

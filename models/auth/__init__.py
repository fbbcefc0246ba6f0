"""Tenants, people and what they may do."""

from .credentials import ApiKey, UserSession
from .organizations import Membership, Organization, Role
from .users import Group, GroupMember, User

__all__ = [
    "ApiKey",
    "Group",
    "GroupMember",
    "Membership",
    "Organization",
    "Role",
    "User",
    "UserSession",
]

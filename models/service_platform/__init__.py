"""Services, deployments, prompts, quotas and usage."""

from .prompts import Prompt, PromptLabel, PromptVersion
from .services import Deployment, Endpoint, Revision, Service
from .usage import DailyUsage, Invocation, Quota

__all__ = [
    "DailyUsage",
    "Deployment",
    "Endpoint",
    "Invocation",
    "Prompt",
    "PromptLabel",
    "PromptVersion",
    "Quota",
    "Revision",
    "Service",
]

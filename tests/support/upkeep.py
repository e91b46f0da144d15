"""Upkeep on the services of a running server, at the moment that a test chooses."""

from __future__ import annotations

from handlers.services import Services
from processing.upkeep.features import FeatureFiller
from processing.upkeep.reconcile import Reconciler


def reconciler_of(services: Services) -> Reconciler:
    """As the server runs it every ten minutes."""
    return Reconciler(services.bucket, services.images, services.uploads, services.registrations, services.executors)


def filler_of(services: Services) -> FeatureFiller:
    """The same."""
    return FeatureFiller(services.images, services.thumbnails, services.executors)

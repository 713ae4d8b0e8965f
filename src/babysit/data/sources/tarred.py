"""A tar of class folders, or of flat images with a CSV; compressed or not."""

from __future__ import annotations

from babysit.data.catalog import Catalog
from babysit.data.sources.archives import catalog_of_folders
from babysit.data.sources.listed import through_its_table
from babysit.data.sources.tar_reader import open_tar


def tarred(source: str) -> Catalog:
    """Lists a tar file, read in place; one compressed with gzip, bzip2 or xz is unpacked into the cache while it is used.

    Raises:
        UserError: when the file is no tar, is cut short, or is built to do harm; when there is no room to unpack it.
    """
    archive = open_tar(source)
    return through_its_table(archive) or catalog_of_folders(archive)

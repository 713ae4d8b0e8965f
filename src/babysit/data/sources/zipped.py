"""A zip of class folders, or of flat images with a CSV, read in place."""

from __future__ import annotations

from babysit.data.catalog import Catalog
from babysit.data.sources.archives import catalog_of_folders
from babysit.data.sources.listed import through_its_table
from babysit.data.sources.zip_reader import open_zip


def zipped(source: str) -> Catalog:
    """Lists a zip file without unpacking it.

    Raises:
        UserError: when the file is no zip, is cut short, is encrypted, or is built to do harm.
    """
    archive = open_zip(source)
    return through_its_table(archive) or catalog_of_folders(archive)

"""Disk images of the appliance: from Debian packages and wheels to a disk that starts, updates and resets itself.

    python -m images build nuc          # make image TARGET=nuc
    python -m images fetch              # make fetch
    python -m images vendor-key         # make vendor-key

The stages, in order, each kept until what it is made of changes:

    builder    a Debian 13 container with mkosi in it, made without a registry     images/builder.py
    base       a tree with all packages, provisioned by ansible/                   images/mkosi/base
    initrd     what checks the root and unlocks the data partition                 images/mkosi/initrd
    disk       root, its hashes, the unified kernel image, the start partition     images/mkosi/disk
    release    compressed, listed, signed: what a vendor ships                     images/release.py
"""

"""Two corpora of model artifacts: `attacks`, assembled anew wherever they are needed, and `benign`, unpacked.

    from tests.corpora.models import attacks, benign

    for attack in attacks.all():
        path = attack.write(folder)  # a file, or a folder that is a repository
    for model in benign.unpack(folder):
        model.path, model.library, model.says

No attack is in the repository as a file, and none does more than leave an empty file behind: see `attacks.payload`.
"""

from tests.corpora.models import attacks, benign

__all__ = ["attacks", "benign"]

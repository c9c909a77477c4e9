from kofinlaw.augment.forms.chat_forms import FORMS
from kofinlaw.augment.forms.dataset_info import dataset_entry


def test_pairs_are_marked_as_ranked_and_name_both_answers():
    for form in ("alpaca", "sharegpt"):
        entry = dataset_entry(form, "x.jsonl", pairs=True)
        assert entry["ranking"] is True
        assert {"chosen", "rejected"} <= set(entry["columns"])
        assert "response" not in entry["columns"]
        assert "ranking" not in dataset_entry(form, "x.jsonl", pairs=False)


def test_trl_pairs_have_no_entry():
    assert dataset_entry("messages", "x.jsonl", pairs=True) is None
    assert all(dataset_entry(form, "x.jsonl", pairs=False) is not None for form in FORMS)

"""The remedies that are listed when one example does not fit."""


def test_what_would_make_it_fit_is_weighed(pico, settings):
    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.remedies import remedies

    chosen = settings(gradient_checkpointing=False)
    model = attach_adapter(
        load_model(pico, dtype="float32", for_training=True), chosen.lora, seed=0
    )
    text = remedies(model, chosen, over=2**20, pass_bytes=2**22, longest=1000)
    assert text.startswith("train.max_length: 712 would fit; ")
    assert "quantization: nf4 saves about 0.00 GiB, not enough alone" in text
    assert "lora.targets: [q_proj, v_proj]" in text
    huge = remedies(model, chosen, over=2**23, pass_bytes=2**22, longest=1000)
    assert "the loaded model alone is too large" in huge
    held = settings(quantization="nf4", gradient_checkpointing=True)
    assert "nf4" not in remedies(model, held, over=1, pass_bytes=2, longest=9)

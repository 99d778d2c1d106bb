"""Activations by forward hooks: right and wrong answers."""

from __future__ import annotations

from torch import nn

from helpers.answers.dying_relu import recorders as r
from helpers.answers.dying_relu.recorders import record_activations, recorder, save
from helpers.checking.check import Answers, Misconception

__all__ = ["ANSWERS", "record_activations"]

ANSWERS = Answers(
    reference=record_activations,
    variants={
        "an exit stack": r.with_an_exit_stack,
        "one hook for all modules": r.with_one_hook_for_all_modules,
        "inference mode": r.in_inference_mode,
        "on a copy of the model": r.on_a_copy,
    },
    misconceptions=(
        Misconception(
            "not-copied",
            recorder(save(lambda output: output.detach())),
            "You kept the layer's own tensor: neither detach() nor no_grad() makes a copy, so a later "
            "layer that works in place writes into what you recorded.",
            "Keep output.detach().clone().",
        ),
        Misconception(
            "not-detached",
            recorder(save(lambda output: output.clone())),
            "What you recorded still belongs to the graph, which keeps the whole pass in memory.",
            "Keep output.detach().clone(), or run the model under torch.no_grad().",
        ),
        Misconception(
            "kept-as-it-is",
            recorder(save(lambda output: output)),
            "You kept the output itself: it belongs to the graph, and a later layer that works in "
            "place writes into it.",
            "Keep output.detach().clone().",
        ),
        Misconception(
            "leaves-hooks",
            recorder(tidy=lambda model, handles: None),
            "Your hooks stay on the model, and run at every later pass.",
            "register_forward_hook returns a handle: keep it, and call its remove().",
        ),
        Misconception(
            "one-dict-for-all",
            r.into_one_dict,
            "Every call fills the same dict, so a second call changes what the first one returned.",
            "Make a new dict inside the function, at the start of each call.",
        ),
        Misconception(
            "freezes-model",
            r.freezing_the_model,
            "Your code sets requires_grad of the parameters to False, so the model no longer learns.",
            "Run the model under torch.no_grad(), or detach what you keep.",
        ),
        Misconception(
            "hooks-of-the-tutorials",
            recorder(save(lambda output: output.detach()), tidy=lambda model, handles: None),
            "Two mistakes at once, as in many tutorials: your hooks stay on the model, and what you "
            "kept is the layer's own tensor, which a later layer may change in place.",
            "Keep the handles and call their remove(); keep output.detach().clone().",
        ),
        Misconception(
            "hooks-stay-after-error",
            recorder(always=False),
            "Your hooks stay on the model when its forward pass raises.",
            "Call the model inside try, and remove the hooks in finally.",
        ),
        Misconception(
            "removes-all-hooks",
            recorder(tidy=r.clears),
            "You removed every hook on the model; some of them were not yours.",
            "Remove only your own, each through its handle.",
        ),
        Misconception(
            "switches-to-eval",
            r.switches_to_eval,
            "You put the model into evaluation mode and left it so.",
            "Leave the mode alone: the pass is meant in the mode in which the model is.",
        ),
        Misconception(
            "eval-then-train",
            r.eval_then_train,
            "You switched to evaluation mode, and to training mode afterwards.",
            "Leave the mode alone: the pass is meant in the mode in which the model is.",
        ),
        Misconception(
            "eval-and-top-mode-back",
            r.restores_top_mode,
            "You measured in evaluation mode, and gave every part of the model the mode of the "
            "whole afterwards.",
            "Leave the mode alone: the pass is meant in the mode in which the model is.",
        ),
        Misconception(
            "measures-in-eval",
            r.in_mode(False),
            "You measured in evaluation mode; the present mode of the model is meant.",
            "Leave out eval(): whoever calls your function chooses the mode.",
        ),
        Misconception(
            "measures-in-train",
            r.in_mode(True),
            "You measured in training mode; the present mode of the model is meant.",
            "Leave out train(): whoever calls your function chooses the mode.",
        ),
        Misconception(
            "one-mode-for-all",
            r.in_own_mode_restored,
            "You gave every part of the model the mode of the whole; a frozen layer inside may "
            "have another.",
            "Leave the mode alone, and there is nothing to put back.",
        ),
        Misconception(
            "top-level-only",
            recorder(named=nn.Module.named_children),
            "You looked only at the direct children of the model.",
            "model.named_modules() also walks through modules inside modules.",
        ),
        Misconception(
            "relu-only",
            recorder(wanted=lambda module: isinstance(module, nn.ReLU)),
            "You recorded nn.ReLU only; every activation module is meant.",
            "Ask is_activation(module).",
        ),
        Misconception(
            "torchs-own-only",
            recorder(wanted=r.is_torchs),
            "You recorded torch's own activations, and left out those of the course.",
            "Ask is_activation(module): a module with a method derivative counts too.",
        ),
        Misconception(
            "every-leaf",
            recorder(wanted=r.is_leaf),
            "You recorded every module without children, linear layers too.",
            "Ask is_activation(module) before you register a hook.",
        ),
        Misconception(
            "everything-without-parameters",
            recorder(wanted=r.is_bare_leaf),
            "You took every module without parameters for an activation; dropout and Flatten have "
            "none either, and PReLU has one.",
            "Ask is_activation(module).",
        ),
        Misconception(
            "first-call",
            recorder(r.first_call),
            "Of a module that is called more than once you kept the first output; the last counts.",
            "Let a later call overwrite the entry.",
        ),
        Misconception(
            "calls-joined",
            recorder(r.all_calls),
            "You joined the outputs of all calls of a module; only the last one counts.",
            "Let a later call overwrite the entry.",
        ),
        Misconception(
            "lists-of-calls",
            recorder(r.lists),
            "Your entries are lists of tensors; one tensor for each name is meant.",
            "Assign to recorded[name], and do not append.",
        ),
        Misconception(
            "inputs-recorded",
            recorder(r.inputs),
            "You recorded what goes into the activations, and not what comes out.",
            "A forward hook gets (module, inputs, output): keep the output.",
        ),
        Misconception(
            "late-name",
            r.late_name,
            "All your hooks write under the last name of the loop: a function reads `name` when it "
            "runs, and by then the loop has ended.",
            "Make the hook in a function that takes the name, or write name=name in its arguments.",
        ),
        Misconception(
            "class-names",
            recorder(key=lambda position, name, module: type(module).__name__),
            "You used the names of the classes as names, so that two ReLUs share one entry.",
            "Use the names of model.named_modules().",
        ),
        Misconception(
            "positions",
            recorder(key=lambda position, name, module: position),
            "You numbered the activations; their names in the model are meant.",
            "Use the names of model.named_modules().",
        ),
        Misconception(
            "modules-as-keys",
            recorder(key=lambda position, name, module: module),
            "Your keys are the modules themselves; their names are meant.",
            "Use the names of model.named_modules().",
        ),
        Misconception(
            "one-entry-for-each-place",
            recorder(named=r.places),
            "A module that stands in two places has two entries; one, under its first name, is "
            "meant.",
            "model.named_modules() gives every module once; leave remove_duplicate as it is.",
        ),
        Misconception(
            "a-pass-for-each",
            r.pass_for_each,
            "You ran the model once for each activation; one pass for all is meant.",
            "Register all hooks first, then call the model once.",
        ),
        Misconception(
            "forgets-the-pass",
            recorder(run=lambda model, x: None),
            "Your hooks never run, since the model is not called while they are there.",
            "Call model(x) after registering the hooks and before removing them.",
        ),
        Misconception(
            "swallows-errors",
            r.swallows,
            "Your code hides the error of the model.",
            "Use try and finally without except: then the error goes on after the tidying.",
        ),
        Misconception(
            "layer-by-layer",
            r.layer_by_layer,
            "You called the children one after the other; not every model is a chain, and "
            "activations inside its parts are left out.",
            "Call the model itself, and let forward hooks do the recording.",
        ),
        Misconception(
            "numpy-arrays",
            recorder(save(lambda output: output.detach().numpy().copy())),
            "You recorded NumPy arrays; tensors are meant.",
            "Keep output.detach().clone().",
        ),
        Misconception(
            "moved-to-cpu",
            recorder(save(lambda output: output.detach().cpu().clone())),
            "You moved what you recorded to the CPU; it must stay on the device of the model.",
            "Leave out cpu().",
        ),
        Misconception(
            "always-float32",
            recorder(save(lambda output: output.detach().clone().float())),
            "You recorded float32; the dtype of the output is meant.",
            "Leave out float().",
        ),
        Misconception(
            "batch-mean",
            recorder(save(lambda output: output.detach().mean(dim=0))),
            "You kept the mean over the samples; the whole output is meant.",
            "Keep output.detach().clone().",
        ),
        Misconception(
            "flattened",
            recorder(save(lambda output: output.detach().clone().flatten(1))),
            "You flattened the outputs; their own shape is meant.",
            "Keep output.detach().clone().",
        ),
        Misconception(
            "turns-grad-off",
            r.turns_grad_off,
            "Your code switches gradients off and leaves them off.",
            "Write `with torch.no_grad():` around the call of the model.",
        ),
    ),
)

"""Activations by forward hooks: the slips of the recipe in `recorders`, and right variants."""

from __future__ import annotations

from torch import nn

from helpers.answers.dying_relu import recorders as r
from helpers.answers.dying_relu.recorders import record_activations, recorder, save
from helpers.checking.recipe import Answers, Recipe, slip

__all__ = ["ANSWERS", "record_activations"]

ANSWERS = Answers(
    recipe=Recipe(recorder),
    reference=record_activations,
    variants={
        "an exit stack": r.with_an_exit_stack,
        "one hook for all modules": r.with_one_hook_for_all_modules,
        "inference mode": r.in_inference_mode,
        "on a copy of the model": r.on_a_copy,
    },
    slips=(
        slip(
            "not-copied",
            "You kept the layer's own tensor: neither detach() nor no_grad() makes a copy, so a later "
            "layer that works in place writes into what you recorded.",
            "Keep output.detach().clone().",
            hook=save(lambda output: output.detach()),
        ),
        slip(
            "not-detached",
            "What you recorded still belongs to the graph, which keeps the whole pass in memory.",
            "Keep output.detach().clone(), or run the model under torch.no_grad().",
            hook=save(lambda output: output.clone()),
        ),
        slip(
            "kept-as-it-is",
            "You kept the output itself: it belongs to the graph, and a later layer that works in "
            "place writes into it.",
            "Keep output.detach().clone().",
            hook=save(lambda output: output),
        ),
        slip(
            "leaves-hooks",
            "Your hooks stay on the model, and run at every later pass.",
            "register_forward_hook returns a handle: keep it, and call its remove().",
            tidy=lambda model, handles: None,
        ),
        slip(
            "one-dict-for-all",
            "Every call fills the same dict, so a second call changes what the first one returned.",
            "Make a new dict inside the function, at the start of each call.",
            new=r.the_same_dict,
        ),
        slip(
            "freezes-model",
            "Your code sets requires_grad of the parameters to False, so the model no longer learns.",
            "Run the model under torch.no_grad(), or detach what you keep.",
            around=r.freezing,
        ),
        slip(
            "hooks-stay-after-error",
            "Your hooks stay on the model when its forward pass raises.",
            "Call the model inside try, and remove the hooks in finally.",
            always=False,
        ),
        slip(
            "removes-all-hooks",
            "You removed every hook on the model; some of them were not yours.",
            "Remove only your own, each through its handle.",
            tidy=r.clears,
        ),
        slip(
            "switches-to-eval",
            "You put the model into evaluation mode and left it so.",
            "Leave the mode alone: the pass is meant in the mode in which the model is.",
            around=r.switches_to_eval,
        ),
        slip(
            "eval-then-train",
            "You switched to evaluation mode, and to training mode afterwards.",
            "Leave the mode alone: the pass is meant in the mode in which the model is.",
            around=r.eval_then_train,
        ),
        slip(
            "eval-and-top-mode-back",
            "You measured in evaluation mode, and gave every part of the model the mode of the "
            "whole afterwards.",
            "Leave the mode alone: the pass is meant in the mode in which the model is.",
            around=r.restores_top_mode,
        ),
        slip(
            "measures-in-eval",
            "You measured in evaluation mode; the present mode of the model is meant.",
            "Leave out eval(): whoever calls your function chooses the mode.",
            around=r.in_mode(False),
        ),
        slip(
            "measures-in-train",
            "You measured in training mode; the present mode of the model is meant.",
            "Leave out train(): whoever calls your function chooses the mode.",
            around=r.in_mode(True),
        ),
        slip(
            "one-mode-for-all",
            "You gave every part of the model the mode of the whole; a frozen layer inside may "
            "have another.",
            "Leave the mode alone, and there is nothing to put back.",
            around=r.in_own_mode_restored,
        ),
        slip(
            "top-level-only",
            "You looked only at the direct children of the model.",
            "model.named_modules() also walks through modules inside modules.",
            named=nn.Module.named_children,
        ),
        slip(
            "relu-only",
            "You recorded nn.ReLU only; every activation module is meant.",
            "Ask is_activation(module).",
            wanted=lambda module: isinstance(module, nn.ReLU),
        ),
        slip(
            "torchs-own-only",
            "You recorded torch's own activations, and left out those of the course.",
            "Ask is_activation(module): a module with a method derivative counts too.",
            wanted=r.is_torchs,
        ),
        slip(
            "every-leaf",
            "You recorded every module without children, linear layers too.",
            "Ask is_activation(module) before you register a hook.",
            wanted=r.is_leaf,
        ),
        slip(
            "everything-without-parameters",
            "You took every module without parameters for an activation; dropout and Flatten have "
            "none either, and PReLU has one.",
            "Ask is_activation(module).",
            wanted=r.is_bare_leaf,
        ),
        slip(
            "first-call",
            "Of a module that is called more than once you kept the first output; the last counts.",
            "Let a later call overwrite the entry.",
            hook=r.first_call,
        ),
        slip(
            "calls-joined",
            "You joined the outputs of all calls of a module; only the last one counts.",
            "Let a later call overwrite the entry.",
            hook=r.all_calls,
        ),
        slip(
            "lists-of-calls",
            "Your entries are lists of tensors; one tensor for each name is meant.",
            "Assign to recorded[name], and do not append.",
            hook=r.lists,
        ),
        slip(
            "inputs-recorded",
            "You recorded what goes into the activations, and not what comes out.",
            "A forward hook gets (module, inputs, output): keep the output.",
            hook=r.inputs,
        ),
        slip(
            "late-name",
            "All your hooks write under the last name of the loop: a function reads `name` when it "
            "runs, and by then the loop has ended.",
            "Make the hook in a function that takes the name, or write name=name in its arguments.",
            whole=r.late_name,
        ),
        slip(
            "class-names",
            "You used the names of the classes as names, so that two ReLUs share one entry.",
            "Use the names of model.named_modules().",
            key=lambda position, name, module: type(module).__name__,
        ),
        slip(
            "positions",
            "You numbered the activations; their names in the model are meant.",
            "Use the names of model.named_modules().",
            key=lambda position, name, module: position,
        ),
        slip(
            "modules-as-keys",
            "Your keys are the modules themselves; their names are meant.",
            "Use the names of model.named_modules().",
            key=lambda position, name, module: module,
        ),
        slip(
            "one-entry-for-each-place",
            "A module that stands in two places has two entries; one, under its first name, is "
            "meant.",
            "model.named_modules() gives every module once; leave remove_duplicate as it is.",
            named=r.places,
        ),
        slip(
            "a-pass-for-each",
            "You ran the model once for each activation; one pass for all is meant.",
            "Register all hooks first, then call the model once.",
            whole=r.pass_for_each,
        ),
        slip(
            "forgets-the-pass",
            "Your hooks never run, since the model is not called while they are there.",
            "Call model(x) after registering the hooks and before removing them.",
            run=lambda model, x: None,
        ),
        slip(
            "swallows-errors",
            "Your code hides the error of the model.",
            "Use try and finally without except: then the error goes on after the tidying.",
            around=r.swallows,
        ),
        slip(
            "layer-by-layer",
            "You called the children one after the other; not every model is a chain, and "
            "activations inside its parts are left out.",
            "Call the model itself, and let forward hooks do the recording.",
            whole=r.layer_by_layer,
        ),
        slip(
            "numpy-arrays",
            "You recorded NumPy arrays; tensors are meant.",
            "Keep output.detach().clone().",
            hook=save(lambda output: output.detach().numpy().copy()),
        ),
        slip(
            "moved-to-cpu",
            "You moved what you recorded to the CPU; it must stay on the device of the model.",
            "Leave out cpu().",
            hook=save(lambda output: output.detach().cpu().clone()),
        ),
        slip(
            "always-float32",
            "You recorded float32; the dtype of the output is meant.",
            "Leave out float().",
            hook=save(lambda output: output.detach().clone().float()),
        ),
        slip(
            "batch-mean",
            "You kept the mean over the samples; the whole output is meant.",
            "Keep output.detach().clone().",
            hook=save(lambda output: output.detach().mean(dim=0)),
        ),
        slip(
            "flattened",
            "You flattened the outputs; their own shape is meant.",
            "Keep output.detach().clone().",
            hook=save(lambda output: output.detach().clone().flatten(1)),
        ),
        slip(
            "turns-grad-off",
            "Your code switches gradients off and leaves them off.",
            "Write `with torch.no_grad():` around the call of the model.",
            around=r.turns_grad_off,
        ),
    ),
)

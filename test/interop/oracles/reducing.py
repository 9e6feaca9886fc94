"""Reductions, softmax, normalizations and the cross-entropy."""

import numpy as np
import torch
import torch.nn.functional as F

from case import Case, Constant, of_float, of_int, of_text, operator, whole_numbers


@operator("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", cases=40)
def reduction(draw, name):
    x = draw.tensor(draw.shape(1))
    keep = draw.flag()
    function = {"ReduceSum": torch.sum, "ReduceMean": torch.mean, "ReduceMax": torch.amax, "ReduceMin": torch.amin}[name]
    attributes = {"keepdims": of_int(keep)}
    if draw.whole(0, 3) == 0:
        noop = draw.flag()
        attributes["noop_with_empty_axes"] = of_int(noop)
        every = tuple(range(x.ndim))
        return Case([x], lambda x: x.clone() if noop else function(x, every, keepdim=keep), attributes)
    axes = draw.shuffled(draw.some(list(range(x.ndim))))
    written = [axis - x.ndim if draw.flag() else axis for axis in axes]
    return Case([x, whole_numbers(written)], lambda x: function(x, tuple(axes), keepdim=keep), attributes)


@operator("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd", cases=30)
def by_length(draw, name):
    x = draw.tensor(draw.shape(1))
    if name == "ReduceProd" and draw.flag():
        # One zero among the factors has a gradient, two have none.
        x = np.where(np.abs(x) < 0.3, np.float32(0), x)
    keep = draw.flag()
    axes = draw.some(list(range(x.ndim)))

    def product(x):
        for axis in sorted(axes, reverse=True):
            x = x.prod(axis, keepdim=keep)
        return x

    function = {
        "ReduceL1": lambda x: x.abs().sum(axes, keepdim=keep),
        "ReduceL2": lambda x: torch.linalg.vector_norm(x, 2, axes, keepdim=keep),
        "ReduceSumSquare": lambda x: (x * x).sum(axes, keepdim=keep),
        "ReduceLogSumExp": lambda x: torch.logsumexp(x, axes, keepdim=keep),
        "ReduceProd": product,
    }[name]
    return Case([x, whole_numbers(axes)], function, {"keepdims": of_int(keep)}, relative=1e-5, absolute=1e-5)


@operator("CumSum", cases=30)
def cum_sum(draw, _):
    x = draw.tensor(draw.shape(1))
    axis = draw.axis(x.ndim)
    exclusive, reverse = draw.flag(), draw.flag()

    def reference(x):
        turned = x.flip(axis) if reverse else x
        total = turned.cumsum(axis)
        total = total - turned if exclusive else total
        return total.flip(axis) if reverse else total

    attributes = {"exclusive": of_int(exclusive), "reverse": of_int(reverse)}
    return Case([x, Constant(np.asarray(axis, dtype=np.int64))], reference, attributes)


@operator("InstanceNormalization", cases=40)
def instance_norm(draw, _):
    shape = [draw.whole(1, 3), draw.whole(1, 4), draw.whole(2, 5), *draw.shape(0, 2, 1, 4)]
    epsilon = draw.real(1e-3, 1e-1)
    inputs = [draw.tensor(shape, draw.one_of(1, 3)), draw.tensor([shape[1]]), draw.tensor([shape[1]])]
    return Case(
        inputs,
        lambda x, scale, shift: F.instance_norm(x, weight=scale, bias=shift, eps=epsilon),
        {"epsilon": of_float(epsilon)},
        relative=1e-5,
        absolute=1e-5,
    )


@operator("LRN", cases=40)
def local_response_norm(draw, _):
    # PyTorch's window reaches half of an even size back, ONNX's one channel less: they agree on odd sizes.
    size, alpha, beta, bias = 2 * draw.whole(0, 3) + 1, draw.real(1e-3, 3), draw.real(0.4, 2), draw.real(0.3, 2)
    attributes = {"size": of_int(size), "alpha": of_float(alpha), "beta": of_float(beta), "bias": of_float(bias)}
    x = draw.tensor([draw.whole(1, 3), draw.whole(1, 6), *draw.shape(2, 2, 1, 4)])
    return Case(
        [x],
        lambda x: F.local_response_norm(x, size, alpha, beta, bias),
        attributes,
        relative=1e-5,
        absolute=1e-5,
    )


@operator("GroupNormalization", cases=40)
def group_norm(draw, _):
    groups, each = draw.whole(1, 3), draw.whole(1, 3)
    shape = [draw.whole(1, 3), groups * each, draw.whole(2, 4), *draw.shape(0, 1, 1, 4)]
    epsilon = draw.real(1e-3, 1e-1)
    by_group = draw.flag()
    size = groups if by_group else groups * each
    spread = (lambda entries: entries.repeat_interleave(each)) if by_group else (lambda entries: entries)
    return Case(
        [draw.tensor(shape, draw.one_of(1, 3)), draw.tensor([size]), draw.tensor([size])],
        lambda x, scale, shift: F.group_norm(x, groups, spread(scale), spread(shift), epsilon),
        {"epsilon": of_float(epsilon), "num_groups": of_int(groups)},
        numeric_from=0,
        relative=1e-5,
        absolute=1e-5,
    )


@operator("RMSNormalization", cases=40)
def rms_norm(draw, _):
    shape = draw.shape(1, 4, 1, 6)
    axis = draw.axis(len(shape))
    normalized = shape[axis:]
    epsilon = draw.real(1e-3, 1e-1)
    return Case(
        [draw.tensor(shape, draw.one_of(1, 3)), draw.tensor(normalized)],
        lambda x, scale: F.rms_norm(x, normalized, scale, epsilon),
        {"axis": of_int(axis), "epsilon": of_float(epsilon)},
        relative=1e-5,
        absolute=1e-5,
    )


@operator("LpNormalization", cases=30)
def lp_norm(draw, _):
    x = draw.away_from_zero(draw.shape(1))
    axis, p = draw.axis(x.ndim), draw.whole(1, 2)
    return Case([x], lambda x: F.normalize(x, p, axis), {"axis": of_int(axis), "p": of_int(p)}, relative=1e-5, absolute=1e-5)


@operator("Softmax", "LogSoftmax", cases=40)
def softmax(draw, name):
    x = draw.tensor(draw.shape(1), draw.one_of(1, 3, 30))
    axis = draw.axis(x.ndim)
    function = F.softmax if name == "Softmax" else F.log_softmax
    if draw.whole(0, 3) == 0:
        return Case([x], lambda x: function(x, -1))
    return Case([x], lambda x: function(x, axis), {"axis": of_int(axis)})


@operator("LayerNormalization", cases=80)
def layer_norm(draw, _):
    shape = draw.shape(1, 4, 1, 6)
    # One element per group normalizes to 0, and its gradient is rounding noise times 1/√ε: nothing to compare.
    shape[-1] = max(2, shape[-1])
    axis = draw.axis(len(shape))
    normalized = shape[axis:]
    epsilon = draw.real(1e-3, 1e-1)
    inputs = [draw.tensor(shape, draw.one_of(1, 3)), draw.tensor(normalized)]
    if draw.flag():
        inputs.append(draw.tensor(normalized))
    return Case(
        inputs,
        lambda x, scale, shift=None: F.layer_norm(x, normalized, scale, shift, epsilon),
        {"axis": of_int(axis), "epsilon": of_float(epsilon)},
        relative=1e-5,
        absolute=1e-5,
    )


@operator("BatchNormalization", cases=80)
def batch_norm(draw, _):
    shape = [draw.whole(2, 5), draw.whole(1, 4), *draw.shape(0, 3, 1, 4)]
    channels = [shape[1]]
    epsilon, momentum = draw.real(1e-3, 1e-1), draw.real(0.5, 0.99)
    inputs = [draw.tensor(shape), *[draw.tensor(channels) for _ in range(3)], draw.positive(channels)]
    attributes = {"epsilon": of_float(epsilon), "momentum": of_float(momentum)}
    if draw.flag():

        def evaluation(x, scale, shift, mean, var):
            if not mean.requires_grad:
                return F.batch_norm(x, mean, var, scale, shift, False, 0, epsilon)
            # PyTorch's own has no gradient for the statistics.
            mean, var, scale, shift = [t.reshape([-1] + [1] * (x.dim() - 2)) for t in (mean, var, scale, shift)]
            return (x - mean) / torch.sqrt(var + epsilon) * scale + shift

        fixed = draw.one_of((), (3, 4))
        return Case(inputs, evaluation, attributes, fixed=fixed, relative=1e-5, absolute=1e-5)
    return Case(
        inputs,
        lambda x, scale, shift, mean, var: F.batch_norm(x, None, None, scale, shift, True, 0, epsilon),
        {**attributes, "training_mode": of_int(1)},
        fixed=(3, 4),
        outputs=3,
        relative=1e-5,
        absolute=1e-5,
    )


@operator("SoftmaxCrossEntropyLoss", cases=60)
def cross_entropy(draw, _):
    classes = draw.whole(2, 6)
    batch, rest = draw.whole(1, 5), draw.shape(0, 2, 1, 3)
    reduction = draw.one_of("mean", "sum", "none")
    labels = draw.integers([batch, *rest], 0, classes - 1, draw.one_of(np.int32, np.int64))
    ignored = draw.one_of(None, 0, -1)
    attributes = {"reduction": of_text(reduction)}
    if ignored is not None:
        attributes["ignore_index"] = of_int(ignored)
        labels = np.where(draw.integers(labels.shape, 0, 3) == 0, ignored, labels).astype(labels.dtype)
        # Not all of them, so that the mean exists.
        labels.flat[0] = classes - 1
    target = torch.from_numpy(labels.astype(np.int64))

    def reference(x):
        skip = {} if ignored is None else {"ignore_index": ignored}
        return F.cross_entropy(x, target, reduction=reduction, **skip)

    logits = draw.tensor([batch, classes, *rest], draw.one_of(1, 5))
    return Case([logits, labels], reference, attributes)

"""Layers and functions of vectors."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from .building import Calls, enter, function, vector

for name, layer in {
    "relu": nn.ReLU, "leaky": lambda: nn.LeakyReLU(0.2), "elu": nn.ELU, "elu2": lambda: nn.ELU(2.0), "selu": nn.SELU,
    "celu": lambda: nn.CELU(1.5), "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU,
    "mish": nn.Mish, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softplus": nn.Softplus,
    "softplus_beta": lambda: nn.Softplus(2.0), "softsign": nn.Softsign, "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid, "hardswish": nn.Hardswish, "hardshrink": lambda: nn.Hardshrink(0.2),
    "softshrink": lambda: nn.Softshrink(0.2), "tanhshrink": nn.Tanhshrink, "threshold": lambda: nn.Threshold(0.1, -0.3),
    "logsigmoid": nn.LogSigmoid, "relu6": nn.ReLU6, "prelu": nn.PReLU, "prelu_each": lambda: nn.PReLU(8),
    "rrelu": nn.RReLU, "softmax": lambda: nn.Softmax(1), "logsoftmax": lambda: nn.LogSoftmax(1),
    "softmin": lambda: nn.Softmin(1), "identity": nn.Identity, "dropout": nn.Dropout, "alpha_dropout": nn.AlphaDropout,
    "bn": lambda: nn.BatchNorm1d(8), "bn_plain": lambda: nn.BatchNorm1d(8, affine=False),
    "ln": lambda: nn.LayerNorm(8), "ln_noaff": lambda: nn.LayerNorm(8, elementwise_affine=False),
    "ln_nobias": lambda: nn.LayerNorm(8, bias=False), "rms": lambda: nn.RMSNorm(8),
    "rms_noaff": lambda: nn.RMSNorm(8, elementwise_affine=False), "gn": lambda: nn.GroupNorm(2, 8),
    "gn_noaff": lambda: nn.GroupNorm(2, 8, affine=False), "nobias": lambda: nn.Linear(8, 8, bias=False),
    "weight_norm": lambda: parametrizations.weight_norm(nn.Linear(8, 8)),
    "spectral_norm": lambda: parametrizations.spectral_norm(nn.Linear(8, 8)),
    "orthogonal": lambda: parametrizations.orthogonal(nn.Linear(8, 8)),
}.items():
    vector(name, layer)

vector("glu", nn.GLU, 4)
vector("unflatten", lambda: nn.Sequential(nn.Unflatten(1, (2, 4)), nn.Flatten()))

for name, f in {
    "sin": torch.sin, "exp": lambda x: torch.exp(0.3 * x), "log1p": lambda x: torch.log1p(x.abs()),
    "clamp": lambda x: x.clamp(-0.3, 0.4), "pow": lambda x: x**3, "sqrt": lambda x: torch.sqrt(x * x + 0.1),
    "rsqrt": lambda x: torch.rsqrt(x * x + 0.1), "abs": torch.abs, "reciprocal": lambda x: 1 / (x * x + 1),
    "maximum": lambda x: torch.maximum(x, 0.5 * x + 0.1), "where": lambda x: torch.where(x > 0.1, x, 0.2 * x),
    "normalize": F.normalize, "cumsum": lambda x: x.cumsum(1), "roll": lambda x: x.roll(3, 1), "flip": lambda x: x.flip(1),
    "masked_fill": lambda x: x.masked_fill(x < 0, -0.5), "erf": torch.erf, "floor": lambda x: x - torch.floor(x),
    "fmod": lambda x: torch.fmod(x, 0.7), "softmax_temp": lambda x: torch.softmax(x / 0.5, -1), "atan": torch.atan,
    "cosh": lambda x: torch.cosh(0.3 * x), "sinc": lambda x: torch.sin(x) / (x + 3), "sort": lambda x: x.sort(1)[0],
    "addcmul": lambda x: torch.addcmul(x, x, x, value=0.1), "lerp": lambda x: torch.lerp(x, x * x, 0.3),
}.items():
    function(name, f)

for name, f, out in (
    ("chunk", lambda x: x.chunk(2, 1)[0] * x.chunk(2, 1)[1], 4),
    ("split", lambda x: torch.cat([part.tanh() for part in x.split([3, 5], 1)], 1), 8),
    ("split_rest", lambda x: torch.cat([part.tanh() for part in x.split(3, 1)], 1), 8),
    ("stack", lambda x: torch.stack([x, x.tanh()], 2).mean(2), 8),
    ("outer", lambda x: (x[:, :, None] * x[:, None]).flatten(1), 64),
    ("index", lambda x: x[:, [0, 3, -1]], 3),
    ("step", lambda x: x[:, 1::2], 4),
    ("negative_slice", lambda x: x[:, -3:], 3),
    ("logsumexp", lambda x: torch.logsumexp(x, 1, keepdim=True), 1),
    ("var", lambda x: torch.cat([x.var(1, keepdim=True), x.std(1, keepdim=True)], 1), 2),
    ("prod", lambda x: x.view(-1, 2, 4).prod(1), 4),
    ("norm", lambda x: x.norm(dim=1, keepdim=True), 1),
    ("amax", lambda x: torch.cat([x.amax(1, keepdim=True), x.amin(1, keepdim=True)], 1), 2),
    ("topk", lambda x: x.topk(3, 1)[0], 3),
    ("einsum", lambda x: torch.einsum("bi,bj->bij", x, x).flatten(1), 64),
    ("repeat", lambda x: x.repeat(1, 2), 16),
    ("repeat_interleave", lambda x: x.repeat_interleave(2, 1), 16),
    ("expand", lambda x: x[:, :, None].expand(-1, -1, 3).flatten(1), 24),
    ("pad", lambda x: F.pad(x, (1, 2)), 11),
    ("crop", lambda x: F.pad(x, (-1, -2)), 5),
    ("tril", lambda x: torch.tril(x[:, :, None] * x[:, None]).flatten(1), 64),
    ("gather", lambda x: x.gather(1, x.argsort(1)[:, :3]), 3),
):
    function(name, f, out)

enter("v_bilinear", lambda: Calls(lambda s, x: s.o(s.b(s.l(x), x).tanh()), l=nn.Linear(5, 4), b=nn.Bilinear(4, 5, 6), o=nn.Linear(6, 3)), [5])
enter("v_two_inputs", lambda: Calls(lambda s, a, b: s.o(torch.tanh(s.p(a) + s.q(b))), p=nn.Linear(5, 8), q=nn.Linear(4, 8), o=nn.Linear(8, 3)), [5], [4])
enter("v_cosine", lambda: Calls(lambda s, a, b: F.cosine_similarity(s.p(a), s.q(b))[:, None], p=nn.Linear(5, 8), q=nn.Linear(4, 8)), [5], [4])
enter("v_gated", lambda: Calls(lambda s, x: s.o(F.silu(s.g(x)) * s.u(x)), g=nn.Linear(5, 8), u=nn.Linear(5, 8), o=nn.Linear(8, 3)), [5])
enter("v_residual", lambda: Calls(lambda s, x: s.o(x + s.d(torch.relu(s.u(x)))), u=nn.Linear(5, 8), d=nn.Linear(8, 5), o=nn.Linear(5, 3)), [5])
enter("v_mse_loss", lambda: Calls(lambda s, x, y: F.mse_loss(s.l(x), y), l=nn.Linear(5, 3)), [5], [3], loss=True)
enter("v_l1_loss", lambda: Calls(lambda s, x, y: F.l1_loss(s.l(x), y), l=nn.Linear(5, 3)), [5], [3], loss=True)
enter("v_huber_loss", lambda: Calls(lambda s, x, y: F.smooth_l1_loss(s.l(x), y), l=nn.Linear(5, 3)), [5], [3], loss=True)
enter("v_cross_entropy", lambda: Calls(lambda s, x, y: F.cross_entropy(s.l(x), y), l=nn.Linear(5, 3)), [5], ([], 3), loss=True)
enter("v_bce_logits", lambda: Calls(lambda s, x, y: F.binary_cross_entropy_with_logits(s.l(x), torch.sigmoid(y)), l=nn.Linear(5, 3)), [5], [3], loss=True)
enter("v_kl", lambda: Calls(lambda s, x, y: F.kl_div(F.log_softmax(s.l(x), 1), y.softmax(1), reduction="batchmean"), l=nn.Linear(5, 3)), [5], [3], loss=True)

"""Layers of sequences: recurrent networks, attention, embeddings."""

import torch
import torch.nn.functional as F
from torch import nn

from .building import Calls, calls, enter, sequence

for name, layer, width in (
    ("rnn", lambda: nn.RNN(6, 5, batch_first=True), 5), ("rnn_relu", lambda: nn.RNN(6, 5, nonlinearity="relu", batch_first=True), 5),
    ("rnn_nobias", lambda: nn.RNN(6, 5, bias=False, batch_first=True), 5), ("rnn_both", lambda: nn.RNN(6, 5, bidirectional=True, batch_first=True), 10),
    ("gru", lambda: nn.GRU(6, 5, batch_first=True), 5), ("gru_both", lambda: nn.GRU(6, 5, bidirectional=True, batch_first=True), 10),
    ("gru_two", lambda: nn.GRU(6, 5, 2, batch_first=True), 5), ("gru_nobias", lambda: nn.GRU(6, 5, bias=False, batch_first=True), 5),
    ("lstm", lambda: nn.LSTM(6, 5, batch_first=True), 5), ("lstm_both", lambda: nn.LSTM(6, 5, bidirectional=True, batch_first=True), 10),
    ("lstm_two", lambda: nn.LSTM(6, 5, 2, batch_first=True), 5), ("lstm_nobias", lambda: nn.LSTM(6, 5, bias=False, batch_first=True), 5),
    ("lstm_proj", lambda: nn.LSTM(6, 5, proj_size=3, batch_first=True), 3),
    ("conv1d", lambda: Calls(lambda s, x: s.c(x.transpose(1, 2)).transpose(1, 2), c=nn.Conv1d(6, 5, 3, padding=1)), 5),
    ("ln", lambda: nn.LayerNorm(6), 6), ("ln_noaff", lambda: nn.LayerNorm(6, elementwise_affine=False), 6),
    ("ln_two", lambda: nn.LayerNorm([7, 6]), 6), ("rms", lambda: nn.RMSNorm(6), 6),
    ("mha", lambda: Calls(lambda s, x: s.a(x, x, x, need_weights=False)[0], a=nn.MultiheadAttention(6, 2, batch_first=True)), 6),
    ("mha_weights", lambda: Calls(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(6, 2, batch_first=True)), 6),
    ("mha_bias_kv", lambda: Calls(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(6, 2, add_bias_kv=True, batch_first=True)), 6),
    ("mha_kdim", lambda: Calls(lambda s, x: s.a(x, x[:, :, :4], x[:, :, :3])[0], a=nn.MultiheadAttention(6, 2, kdim=4, vdim=3, batch_first=True)), 6),
    ("encoder", lambda: nn.TransformerEncoderLayer(6, 2, 12, 0.0, batch_first=True), 6),
    ("encoder_pre", lambda: nn.TransformerEncoderLayer(6, 2, 12, 0.0, "gelu", batch_first=True, norm_first=True), 6),
    ("decoder", lambda: Calls(lambda s, x: s.d(x, x * 0.5), d=nn.TransformerDecoderLayer(6, 2, 12, 0.0, batch_first=True)), 6),
    ("causal", lambda: Calls(lambda s, x: F.scaled_dot_product_attention(s.q(x), s.k(x), s.v(x), is_causal=True), q=nn.Linear(6, 6), k=nn.Linear(6, 6), v=nn.Linear(6, 6)), 6),
    ("cumsum", lambda: Calls(lambda s, x: s.l(x).cumsum(1), l=nn.Linear(6, 6)), 6),
    ("first", lambda: Calls(lambda s, x: s.l(x)[:, :512], l=nn.Linear(6, 6)), 6),
    ("cut", lambda: Calls(lambda s, x: s.l(x)[:, -100:3], l=nn.Linear(6, 6)), 6),
    ("shift", lambda: Calls(lambda s, x: F.pad(s.l(x), (0, 0, 1, -1)), l=nn.Linear(6, 6)), 6),
    ("cell", lambda: Calls(_cell, c=nn.LSTMCell(6, 5)), 5),
    ("gru_cell", lambda: Calls(_gru_cell, c=nn.GRUCell(6, 5)), 5),
):
    sequence(name, layer, width)


def _cell(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    state = (x.new_zeros(x.shape[0], 5), x.new_zeros(x.shape[0], 5))
    seen = []
    for at in range(3):
        state = self.c(x[:, at], state)
        seen.append(state[0])
    return torch.stack(seen, 1)


def _gru_cell(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    state = x.new_zeros(x.shape[0], 5)
    seen = []
    for at in range(3):
        state = self.c(x[:, at], state)
        seen.append(state)
    return torch.stack(seen, 1)


enter("s_embedding", lambda: Calls(lambda s, x: s.o(s.e(x).mean(1)), e=nn.Embedding(11, 6), o=nn.Linear(6, 3)), ([7], 11))
enter("s_padding_idx", lambda: Calls(lambda s, x: s.o(s.e(x).mean(1)), e=nn.Embedding(11, 6, padding_idx=0), o=nn.Linear(6, 3)), ([7], 11))
enter("s_embedding_bag", lambda: Calls(lambda s, x: s.o(s.e(x)), e=nn.EmbeddingBag(11, 6, mode="mean"), o=nn.Linear(6, 3)), ([7], 11))
enter("s_embedding_two", lambda: Calls(lambda s, a, b: s.o((s.e(a) + s.f(b)).flatten(1)), e=nn.Embedding(11, 6), f=nn.Embedding(5, 6), o=nn.Linear(42, 3)), ([7], 11), ([7], 5))
enter("s_lm", lambda: Calls(lambda s, x: s.h(torch.tanh(s.e(x))), e=nn.Embedding(11, 6), h=nn.Linear(6, 11)), ([7], 11))

"""Filter convolution and its derivatives on CPU tensors, float32 and float64 (kernels/convolution.h)."""

from torch import Tensor

def convolve(
    first: Tensor,
    second: Tensor,
    pair: Tensor,
    displacement: Tensor,
    velocity: Tensor | None,
    table: Tensor,
    y: Tensor,
    q: Tensor,
    n_angular: int,
    cutoff: float,
) -> None: ...
def convolve_backward(
    first: Tensor,
    second: Tensor,
    pair: Tensor,
    displacement: Tensor,
    velocity: Tensor | None,
    table: Tensor,
    y: Tensor,
    q_grad: Tensor,
    y_grad: Tensor,
    displacement_grad: Tensor | None,
    table_grad: Tensor | None,
    n_angular: int,
    cutoff: float,
) -> None: ...

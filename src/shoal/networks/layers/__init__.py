"""The layers, by family; `LAYERS` finds each by its class name."""

# ruff: noqa: RUF022 - messages list the layers in this order

from __future__ import annotations

from shoal.networks.layers.activation import Activation
from shoal.networks.layers.base import LAYERS, Context, Layer, Parameters
from shoal.networks.layers.batch_normalization import BatchNormalization
from shoal.networks.layers.bidirectional import Bidirectional
from shoal.networks.layers.branches import Branches
from shoal.networks.layers.convolution import Conv1D, Conv2D, Conv3D
from shoal.networks.layers.dense import Dense
from shoal.networks.layers.dense_with_constants import DenseWithConstants
from shoal.networks.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from shoal.networks.layers.dropout import Dropout
from shoal.networks.layers.embedding import Embedding
from shoal.networks.layers.encoding import PiecewiseEncoding, QuantileEncoding
from shoal.networks.layers.flatten import Flatten
from shoal.networks.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from shoal.networks.layers.gru import GRU
from shoal.networks.layers.identity import Identity
from shoal.networks.layers.layer_normalization import GroupNormalization, LayerNormalization
from shoal.networks.layers.lstm import LSTM
from shoal.networks.layers.masking import Masking
from shoal.networks.layers.noise import GaussianNoise
from shoal.networks.layers.normalization import Normalization, Rescaling
from shoal.networks.layers.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from shoal.networks.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    MinPooling1D,
    MinPooling2D,
    MinPooling3D,
)
from shoal.networks.layers.rectifiers import ELU, LeakyReLU, PReLU, ReLU
from shoal.networks.layers.reshaping import Permute, RepeatVector, Reshape
from shoal.networks.layers.residual import Residual
from shoal.networks.layers.simple_rnn import SimpleRNN
from shoal.networks.layers.softmax import Softmax
from shoal.networks.layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from shoal.networks.layers.time_distributed import TimeDistributed
from shoal.networks.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from shoal.networks.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D

__all__ = [
    "Dense", "DenseWithConstants", "Dropout", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Identity",
    "Flatten",
    "Conv1D", "Conv2D", "Conv3D",
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MinPooling1D", "MinPooling2D", "MinPooling3D",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "Reshape", "Permute", "RepeatVector",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "GaussianNoise", "SimpleRNN", "LSTM", "GRU", "Bidirectional", "TimeDistributed", "Residual", "Branches",
    "Masking",
    "Embedding", "BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization",
    "Rescaling", "PiecewiseEncoding", "QuantileEncoding",
]  # fmt: skip
LAYERS.update({name: globals()[name] for name in __all__})
__all__ += ["LAYERS", "Context", "Layer", "Parameters"]

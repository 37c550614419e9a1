"""The layers, by family; `LAYERS` finds each by its class name."""

from __future__ import annotations

from shoal.networks.layers.activation import Activation as Activation
from shoal.networks.layers.base import LAYERS as LAYERS
from shoal.networks.layers.base import Context as Context
from shoal.networks.layers.base import Layer as Layer
from shoal.networks.layers.base import Parameters as Parameters
from shoal.networks.layers.batch_normalization import BatchNormalization as BatchNormalization
from shoal.networks.layers.bidirectional import Bidirectional as Bidirectional
from shoal.networks.layers.convolution import Conv1D as Conv1D
from shoal.networks.layers.convolution import Conv2D as Conv2D
from shoal.networks.layers.convolution import Conv3D as Conv3D
from shoal.networks.layers.dense import Dense as Dense
from shoal.networks.layers.dense_with_constants import DenseWithConstants as DenseWithConstants
from shoal.networks.layers.depthwise import DepthwiseConv1D as DepthwiseConv1D
from shoal.networks.layers.depthwise import DepthwiseConv2D as DepthwiseConv2D
from shoal.networks.layers.depthwise import SeparableConv1D as SeparableConv1D
from shoal.networks.layers.depthwise import SeparableConv2D as SeparableConv2D
from shoal.networks.layers.dropout import Dropout as Dropout
from shoal.networks.layers.embedding import Embedding as Embedding
from shoal.networks.layers.flatten import Flatten as Flatten
from shoal.networks.layers.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from shoal.networks.layers.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from shoal.networks.layers.global_pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from shoal.networks.layers.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from shoal.networks.layers.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from shoal.networks.layers.global_pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from shoal.networks.layers.gru import GRU as GRU
from shoal.networks.layers.layer_normalization import GroupNormalization as GroupNormalization
from shoal.networks.layers.layer_normalization import LayerNormalization as LayerNormalization
from shoal.networks.layers.lstm import LSTM as LSTM
from shoal.networks.layers.masking import Masking as Masking
from shoal.networks.layers.noise import GaussianNoise as GaussianNoise
from shoal.networks.layers.normalization import Normalization as Normalization
from shoal.networks.layers.normalization import Rescaling as Rescaling
from shoal.networks.layers.padding import Cropping1D as Cropping1D
from shoal.networks.layers.padding import Cropping2D as Cropping2D
from shoal.networks.layers.padding import Cropping3D as Cropping3D
from shoal.networks.layers.padding import ZeroPadding1D as ZeroPadding1D
from shoal.networks.layers.padding import ZeroPadding2D as ZeroPadding2D
from shoal.networks.layers.padding import ZeroPadding3D as ZeroPadding3D
from shoal.networks.layers.pooling import AveragePooling1D as AveragePooling1D
from shoal.networks.layers.pooling import AveragePooling2D as AveragePooling2D
from shoal.networks.layers.pooling import AveragePooling3D as AveragePooling3D
from shoal.networks.layers.pooling import MaxPooling1D as MaxPooling1D
from shoal.networks.layers.pooling import MaxPooling2D as MaxPooling2D
from shoal.networks.layers.pooling import MaxPooling3D as MaxPooling3D
from shoal.networks.layers.pooling import MinPooling1D as MinPooling1D
from shoal.networks.layers.pooling import MinPooling2D as MinPooling2D
from shoal.networks.layers.pooling import MinPooling3D as MinPooling3D
from shoal.networks.layers.reshaping import Permute as Permute
from shoal.networks.layers.reshaping import RepeatVector as RepeatVector
from shoal.networks.layers.reshaping import Reshape as Reshape
from shoal.networks.layers.residual import Residual as Residual
from shoal.networks.layers.simple_rnn import SimpleRNN as SimpleRNN
from shoal.networks.layers.spatial_dropout import SpatialDropout1D as SpatialDropout1D
from shoal.networks.layers.spatial_dropout import SpatialDropout2D as SpatialDropout2D
from shoal.networks.layers.spatial_dropout import SpatialDropout3D as SpatialDropout3D
from shoal.networks.layers.time_distributed import TimeDistributed as TimeDistributed
from shoal.networks.layers.transposed import Conv1DTranspose as Conv1DTranspose
from shoal.networks.layers.transposed import Conv2DTranspose as Conv2DTranspose
from shoal.networks.layers.transposed import Conv3DTranspose as Conv3DTranspose
from shoal.networks.layers.upsampling import UpSampling1D as UpSampling1D
from shoal.networks.layers.upsampling import UpSampling2D as UpSampling2D
from shoal.networks.layers.upsampling import UpSampling3D as UpSampling3D

LAYERS.update(
    (c.__name__, c)
    for c in (
        Dense,
        DenseWithConstants,
        Dropout,
        Activation,
        Flatten,
        Conv1D,
        Conv2D,
        Conv3D,
        DepthwiseConv1D,
        DepthwiseConv2D,
        SeparableConv1D,
        SeparableConv2D,
        Conv1DTranspose,
        Conv2DTranspose,
        Conv3DTranspose,
        MaxPooling1D,
        MaxPooling2D,
        MaxPooling3D,
        MinPooling1D,
        MinPooling2D,
        MinPooling3D,
        AveragePooling1D,
        AveragePooling2D,
        AveragePooling3D,
        GlobalMaxPooling1D,
        GlobalMaxPooling2D,
        GlobalMaxPooling3D,
        GlobalAveragePooling1D,
        GlobalAveragePooling2D,
        GlobalAveragePooling3D,
        UpSampling1D,
        UpSampling2D,
        UpSampling3D,
        Reshape,
        Permute,
        RepeatVector,
        ZeroPadding1D,
        ZeroPadding2D,
        ZeroPadding3D,
        Cropping1D,
        Cropping2D,
        Cropping3D,
        SpatialDropout1D,
        SpatialDropout2D,
        SpatialDropout3D,
        GaussianNoise,
        SimpleRNN,
        LSTM,
        GRU,
        Bidirectional,
        TimeDistributed,
        Residual,
        Masking,
        Embedding,
        BatchNormalization,
        LayerNormalization,
        GroupNormalization,
        Normalization,
        Rescaling,
    )
)

"""The models of whar-models, as read in its sources at commit c64f359.

A table of this package's own, because harbench lists models without importing torch, and because
whar-models states neither shortest windows nor citations. A test compares it with the library.
"""

from __future__ import annotations

from dataclasses import dataclass

import harbench

COMMIT = "c64f35931f15072af95f52d57a09486b28834426"
"""Of whar-models, that the table and the numbers in the README were made with."""


@dataclass(frozen=True)
class Entry:
    """One model of whar-models.

    Args:
        id: What whar-models calls it (the value of its ``WHARModelID``).
        summary: One line.
        citation: Its paper.
        min_times: The shortest window that trains and predicts, in samples, as tried with the
            fewest channels.
        multiple: Of what the number of channels must be a multiple.
        min_channels: The smallest number of channels.
        stand_in: How it differs from the paper by whar-models' own account; empty if it says
            nothing.
        notes: What a user should know, a sentence each.
        late: Whether some of its weights come to be in its first forward pass.
        estimator: Whether it is fitted (scikit-learn on tsfresh features) and not trained.
    """

    id: str
    summary: str
    citation: harbench.Citation
    min_times: int = 1
    multiple: int = 1
    min_channels: int = 1
    stand_in: str = ""
    notes: tuple[str, ...] = ()
    late: bool = False
    estimator: bool = False

    @property
    def name(self) -> str:
        """What harbench calls it: ``whar-deepconv-lstm``."""
        return "whar-" + self.id.replace("_", "-")


def _paper(text: str, doi: str = "", url: str = "") -> harbench.Citation:
    return harbench.Citation(text, doi=doi, url=url)


_SKLEARN = _paper(
    "Pedregosa, F., Varoquaux, G., Gramfort, A. et al. (2011). Scikit-learn: Machine Learning in "
    "Python. JMLR 12, 2825-2830. Features: Christ, M., Braun, N., Neuffer, J., Kempa-Liehr, A. W. "
    "(2018). Time Series FeatuRe Extraction on basis of Scalable Hypothesis tests (tsfresh). "
    "Neurocomputing 307, 72-77.",
    url="https://jmlr.csail.mit.edu/papers/v12/pedregosa11a.html",
)
_FEATURES = (
    "Features are tsfresh's MinimalFCParameters of each channel, computed anew in every call: "
    "slow beside the classifier.",
)

MODELS: tuple[Entry, ...] = (
    Entry(
        "aroma_joint_model",
        "residual CNN on parts of the window, three LSTM layers over them",
        _paper(
            "Peng, L., Chen, L., Ye, Z., Zhang, Y. (2018). AROMA: A Deep Multi-Task Learning Based "
            "Simple and Complex Human Activity Recognition Method Using Wearable Sensors. "
            "Proc. ACM IMWUT 2(2), 74.",
            doi="10.1145/3214277",
        ),
        min_times=10,
        stand_in="Changed by whar-models to take any window, and only its head for complex "
        "activities is used.",
        notes=(
            "Normalises by mean and variance of the batch, when it predicts too: a window's "
            "logits depend on the other windows of its batch.",
            "Its head for simple activities is built, counted and never used.",
        ),
        late=True,
    ),
    Entry(
        "attend_discriminate",
        "four convolutions, self-attention over channels, GRU, attention over time",
        _paper(
            "Abedin, A., Ehsanpour, M., Shi, Q., Rezatofighi, H., Ranasinghe, D. C. (2021). Attend "
            "and Discriminate: Beyond the State-of-the-Art for Human Activity Recognition Using "
            "Wearable Sensors. Proc. ACM IMWUT 5(1), 1.",
            doi="10.1145/3448083",
        ),
        min_times=17,
        notes=("The network alone: without the paper's center loss and mixup.",),
    ),
    Entry(
        "attensense",
        "CNN on a spectrogram of each channel, attention over channels, GRU, attention over time",
        _paper(
            "Ma, H., Li, W., Zhang, X., Gao, S., Lu, S. (2019). AttnSense: Multi-level Attention "
            "Mechanism for Multimodal Human Activity Recognition. IJCAI 2019, 3109-3115.",
            doi="10.24963/ijcai.2019/431",
        ),
        stand_in="Takes each channel for a modality of its own; the paper has two, accelerometer "
        "and gyroscope.",
        notes=("Every window is stretched to 800 samples first.",),
        late=True,
    ),
    Entry(
        "cnn_har",
        "three convolutions over time, one over channels, maximum over time",
        _paper(
            "Yang, J., Nguyen, M. N., San, P. P., Li, X. L., Krishnaswamy, S. (2015). Deep "
            "Convolutional Neural Networks on Multichannel Time Series for Human Activity "
            "Recognition. IJCAI 2015, 3995-4001.",
            url="https://www.ijcai.org/Proceedings/15/Papers/561.pdf",
        ),
        min_times=30,
        notes=(
            "After the authors' code, with a maximum over time that the paper does not have; "
            "harbench's own yang2015 follows the paper's Fig. 1.",
        ),
    ),
    Entry(
        "dana",
        "DeepConvLSTM with dimension-adaptive pooling before its LSTM",
        _paper(
            "Malekzadeh, M., Clegg, R. G., Cavallaro, A., Haddadi, H. (2021). DANA: "
            "Dimension-Adaptive Neural Architecture for Multivariate Sensor Data. "
            "Proc. ACM IMWUT 5(3), 120.",
            doi="10.1145/3478074",
        ),
        min_times=5,
    ),
    Entry(
        "deepconv_lstm",
        "four convolutions over time, two LSTM layers",
        _paper(
            "Ordóñez, F. J., Roggen, D. (2016). Deep Convolutional and LSTM Recurrent Neural "
            "Networks for Multimodal Wearable Activity Recognition. Sensors 16(1), 115.",
            doi="10.3390/s16010115",
        ),
        min_times=17,
        notes=("Without dropout; harbench's own deepconvlstm has it.",),
    ),
    Entry(
        "deepconv_lstm_attention",
        "DeepConvLSTM with attention over the steps before the last",
        _paper(
            "Murahari, V. S., Plötz, T. (2018). On Attention Models for Human Activity "
            "Recognition. ISWC 2018, 100-103.",
            doi="10.1145/3267242.3267287",
        ),
        min_times=17,
        notes=(
            "Draws the LSTM's first state at random, when it predicts too: two predictions of one "
            "window differ.",
        ),
    ),
    Entry(
        "deepconv_lstm_iswc",
        "two blocks of two convolutions over time, one LSTM layer",
        _paper(
            "Bock, M., Hölzemann, A., Moeller, M., Van Laerhoven, K. (2021). Improving Deep "
            "Learning for HAR with Shallow LSTMs. ISWC 2021, 7-12.",
            doi="10.1145/3460421.3480419",
        ),
        min_times=41,
        notes=(
            "Its LSTM is given [batch, time, maps] and runs along the first axis, the batch: a "
            "window's logits depend on the windows before it in its batch, and not on its own "
            "earlier samples.",
        ),
    ),
    Entry(
        "deepsense",
        "spectrum of parts of the window, a CNN for each half of the channels, GRU",
        _paper(
            "Yao, S., Hu, S., Zhao, Y., Zhang, A., Abdelzaher, T. (2017). DeepSense: A Unified "
            "Deep Learning Framework for Time-Series Mobile Sensing Data Processing. "
            "WWW 2017, 351-360.",
            doi="10.1145/3038912.3052577",
        ),
        multiple=2,
        notes=(
            "Takes the first half of the channels for accelerometers and the second for "
            "gyroscopes, whatever they are.",
        ),
    ),
    Entry(
        "dynamic_whar",
        "CNN of each sensor, a graph of all pairs of sensors",
        _paper(
            "Miao, S., Chen, L., Hu, R., Luo, Y. (2022). Towards a Dynamic Inter-Sensor "
            "Correlations Learning Framework for Multi-Sensor-Based Wearable Human Activity "
            "Recognition. Proc. ACM IMWUT 6(3), 130.",
            doi="10.1145/3550331",
        ),
        min_channels=2,
        notes=(
            "Each channel is a node, unless node_dim among its settings says how many make a "
            "sensor; memory grows with the square of the nodes.",
        ),
    ),
    Entry(
        "global_fusion",
        "spectrum of parts of the window, attention over positions and sensors, GRU",
        _paper(
            "Liu, S., Yao, S., Li, J., Liu, D., Wang, T., Shao, H., Abdelzaher, T. (2020). "
            "GlobalFusion: A Global Attentional Deep Learning Framework for Multisensor "
            "Information Fusion. Proc. ACM IMWUT 4(1), 19.",
            doi="10.1145/3380999",
        ),
        min_times=16,
        notes=(
            "whar-models' defaults are for 6 channels and leave all others unused; this bridge "
            "sets S_number_sensors_type so that every channel is used: a sensor has three axes "
            "where the channels divide by 3, else one.",
            "With one position a sensor, the attention over positions has nothing to choose and "
            "its keys and queries stay untrained; set L_sensor_locations where positions repeat.",
        ),
    ),
    Entry(
        "if_conv_transformer",
        "fusion of gravity, gyroscope and acceleration, convolutions, two transformer blocks",
        _paper(
            "Zhang, Y., Wang, L., Chen, H., Tian, A., Zhou, S., Guo, Y. (2022). "
            "IF-ConvTransformer: A Framework for Human Activity Recognition Using IMU Fusion and "
            "ConvTransformer. Proc. ACM IMWUT 6(2), 88.",
            doi="10.1145/3534584",
        ),
        multiple=3,
        min_channels=3,
        stand_in="Generalised by whar-models from 9 channels (gravity, gyroscope, acceleration) "
        "to any three thirds.",
    ),
    Entry(
        "knn",
        "k nearest neighbours on tsfresh features",
        _SKLEARN,
        notes=_FEATURES,
        estimator=True,
    ),
    Entry(
        "lstms_ensemble",
        "two LSTM layers, the last step",
        _paper(
            "Guan, Y., Plötz, T. (2017). Ensembles of Deep LSTM Learners for Activity Recognition "
            "Using Wearables. Proc. ACM IMWUT 1(2), 11.",
            doi="10.1145/3090076",
        ),
        stand_in="One learner; the paper's ensemble of epoch-wise learners is not built.",
    ),
    Entry(
        "mlp_har",
        "fully connected layers over parts of the window, their spectrum and channels",
        _paper(
            "Zhou, Y., King, T., Zhao, H., Huang, Y., Riedel, T., Beigl, M. (2024). MLP-HAR: "
            "Boosting Performance and Efficiency of HAR Models on Edge Devices with Purely Fully "
            "Connected Layers. ISWC 2024, 133-139.",
            doi="10.1145/3675095.3676624",
        ),
        min_times=16,
    ),
    Entry(
        "mlp_mixer",
        "MLP-Mixer on patches of 4 channels x 4 samples",
        _paper(
            "Ojiako, K., Farrahi, K. (2023). MLPs Are All You Need for Human Activity Recognition. "
            "Applied Sciences 13(20), 11154.",
            doi="10.3390/app132011154",
        ),
        min_times=2,
        min_channels=2,
    ),
    Entry(
        "random_forest",
        "random forest (100 trees, depth 8) on tsfresh features",
        _SKLEARN,
        notes=(
            *_FEATURES,
            "whar-models fixes random_state=42 and takes all cores; here harbench's seed decides, "
            "on one.",
        ),
        estimator=True,
    ),
    Entry(
        "sa_har",
        "attention over sensors, convolution, two self-attention blocks, attentive pooling",
        _paper(
            "Mahmud, S., Tonmoy, M. T. H., Bhaumik, K. K., Rahman, A. K. M. M., Amin, M. A., "
            "Shoyaib, M., Khan, M. A. H., Ali, A. A. (2020). Human Activity Recognition from "
            "Wearable Sensor Data Using Self-Attention. ECAI 2020.",
            url="https://arxiv.org/abs/2003.09018",
        ),
        late=True,
    ),
    Entry(
        "svm",
        "support vector machine with an RBF kernel on tsfresh features",
        _SKLEARN,
        notes=(
            *_FEATURES,
            "Built without probabilities: what is stored as such is the softmax of its decision "
            "values, which keeps their order.",
        ),
        estimator=True,
    ),
    Entry(
        "tinierhar",
        "depthwise separable convolutions, bidirectional GRU, attention over time",
        _paper(
            "Bian, S., Liu, M., Rey, V. F., Geissler, D., Lukowicz, P. (2025). TinierHAR: Towards "
            "Ultra-Lightweight Deep Learning Models for Efficient Human Activity Recognition on "
            "Edge Devices. arXiv 2507.07949.",
            url="https://arxiv.org/abs/2507.07949",
        ),
        min_times=8,
    ),
    Entry(
        "tinyhar",
        "four convolutions over time, attention over channels, LSTM, attention over time",
        _paper(
            "Zhou, Y., Zhao, H., Huang, Y., Riedel, T., Hefenbrock, M., Beigl, M. (2022). TinyHAR: "
            "A Lightweight Deep Learning Model Designed for Human Activity Recognition. "
            "ISWC 2022, 89-93.",
            doi="10.1145/3544794.3558467",
        ),
        min_times=29,
    ),
    Entry(
        "triple_cross_domain_attention",
        "three convolutions with attention across time, sensors and maps",
        _paper(
            "Tang, Y., Zhang, L., Teng, Q., Min, F., Song, A. (2022). Triple Cross-Domain "
            "Attention on Human Activity Recognition Using Wearable Sensors. IEEE Transactions on "
            "Emerging Topics in Computational Intelligence 6(5), 1167-1176.",
            doi="10.1109/TETCI.2021.3136642",
        ),
        min_times=40,
        notes=("A single channel needs a longer window than 40 samples.",),
    ),
)

/** Most bytes of one message, as the kubelet and containerd have it (k8s cri-client `maxMsgSize`). */
export const mostMessageBytes = 16 * 1024 * 1024;

/** Classic BPF opcodes that a seccomp filter may use. include/uapi/linux/bpf_common.h, filter.h. */
export const BPF_LD_W_ABS = 0x20;
export const BPF_LD_W_LEN = 0x80;
export const BPF_LDX_W_LEN = 0x81;
export const BPF_LD_IMM = 0x00;
export const BPF_LDX_IMM = 0x01;
export const BPF_LD_MEM = 0x60;
export const BPF_LDX_MEM = 0x61;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_JA = 0x05;
export const BPF_JEQ_K = 0x15;
export const BPF_JEQ_X = 0x1d;
export const BPF_JGT_K = 0x25;
export const BPF_JGT_X = 0x2d;
export const BPF_JGE_K = 0x35;
export const BPF_JGE_X = 0x3d;
export const BPF_JSET_K = 0x45;
export const BPF_JSET_X = 0x4d;
export const BPF_ADD_K = 0x04;
export const BPF_SUB_K = 0x14;
export const BPF_MUL_K = 0x24;
export const BPF_DIV_K = 0x34;
export const BPF_OR_K = 0x44;
export const BPF_AND_K = 0x54;
export const BPF_LSH_K = 0x64;
export const BPF_RSH_K = 0x74;
export const BPF_NEG = 0x84;
export const BPF_XOR_K = 0xa4;
/** Or-ed to an ALU or jump opcode: the operand is X rather than k. */
export const BPF_X = 0x08;
export const BPF_RET_K = 0x06;
export const BPF_RET_A = 0x16;
export const BPF_TAX = 0x07;
export const BPF_TXA = 0x87;

/** The longest program the kernel takes. include/uapi/linux/bpf_common.h. */
export const BPF_MAXINSNS = 4096;
/** Words of scratch memory. include/uapi/linux/filter.h. */
export const BPF_MEMWORDS = 16;

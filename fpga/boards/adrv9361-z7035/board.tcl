# SPDX-License-Identifier: Apache-2.0
#
# Analog Devices ADRV9361-Z7035, system on module
#
# DDR3: two MT41K256M16 RE-125, 32 bits, 1 GiB. Trace delays and MIO as in the vendor's reference
# design (analogdevicesinc/hdl, projects/adrv9361z7035). The radio is left alone: no pin of the
# fabric is used, so the design fits any carrier.

set board {
    title     {Analog Devices ADRV9361-Z7035}
    part      xc7z035ifbg676-2L
    ddr_range 1G
    ps7 {
        PCW_PRESET_BANK0_VOLTAGE            {LVCMOS 1.8V}
        PCW_PRESET_BANK1_VOLTAGE            {LVCMOS 1.8V}
        PCW_UIPARAM_DDR_PARTNO              {MT41K256M16 RE-125}
        PCW_UIPARAM_DDR_BUS_WIDTH           {32 Bit}
        PCW_UIPARAM_DDR_USE_INTERNAL_VREF   0
        PCW_UIPARAM_DDR_TRAIN_WRITE_LEVEL   1
        PCW_UIPARAM_DDR_TRAIN_READ_GATE     1
        PCW_UIPARAM_DDR_TRAIN_DATA_EYE      1
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_0  -0.053
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_1  -0.059
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_2  0.065
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_3  0.066
        PCW_UIPARAM_DDR_BOARD_DELAY0        0.264
        PCW_UIPARAM_DDR_BOARD_DELAY1        0.265
        PCW_UIPARAM_DDR_BOARD_DELAY2        0.330
        PCW_UIPARAM_DDR_BOARD_DELAY3        0.330
        PCW_QSPI_PERIPHERAL_ENABLE          1
        PCW_UART1_PERIPHERAL_ENABLE         1
        PCW_UART1_UART1_IO                  {MIO 48 .. 49}
        PCW_SD0_PERIPHERAL_ENABLE           1
        PCW_SD0_SD0_IO                      {MIO 40 .. 45}
        PCW_SD0_GRP_CD_ENABLE               1
        PCW_SD0_GRP_CD_IO                   {MIO 50}
        PCW_SDIO_PERIPHERAL_FREQMHZ         50
        PCW_ENET0_PERIPHERAL_ENABLE         1
        PCW_ENET0_ENET0_IO                  {MIO 16 .. 27}
        PCW_ENET0_GRP_MDIO_ENABLE           1
        PCW_ENET0_GRP_MDIO_IO               {MIO 52 .. 53}
        PCW_ENET0_RESET_ENABLE              1
        PCW_ENET0_RESET_IO                  {MIO 8}
        PCW_USB0_PERIPHERAL_ENABLE          1
        PCW_USB0_USB0_IO                    {MIO 28 .. 39}
        PCW_USB0_RESET_ENABLE               1
        PCW_USB0_RESET_IO                   {MIO 7}
        PCW_GPIO_MIO_GPIO_ENABLE            1
    }
}
